#!/bin/bash
set -e
source charms.reactive.sh

# Each function leaves a line, so that a test can see which have run, in which order.
note() {
    echo "$JUJU_HOOK_NAME: ${FUNCNAME[1]}" >>"$CHARM_DIR/notes"
}

@hook 'install'
function prepare() {
    note
    status-set maintenance 'preparing'
    set_flag web.prepared
}

@when 'web.prepared'
@when_not 'web.installed'
function install() {
    note
    charms.reactive set_flag web.installed
}

@when 'web.installed'
@only_once
function greet() {
    note
}

# The old names, and two hooks at once.
@hook 'db-relation-{joined,changed}' 'config-changed'
function look() {
    note
    set_state web.looked
}

@when_any 'web.looked' 'db.connected'
@when_not_all 'web.installed' 'web.told'
function tell() {
    note
    remove_state web.looked
    if all_flags_set web.installed && ! any_flags_set web.told web.nothing; then
        set_flag web.told
    fi
}

@when 'db.available'
@when_none 'web.configured'
function configure() {
    note
    uri=$(relation_call --flag db.available uri)
    echo "uri = $uri" >"$CHARM_DIR/web.conf"
    relation-set -r "$(relation-ids db)" "client=$(config-get title)"
    status-set active "using $uri"
    set_flag web.configured
}

@when_all 'web.configured'
@when_not 'db.available'
function unconfigure() {
    note
    rm "$CHARM_DIR/web.conf"
    clear_flag web.configured
    status-set blocked 'no database'
}

@when_file_changed 'motd'
function show_motd() {
    note
    charms.reactive set_flag "motd.$(head -n 1 motd)"
}

@hook '{requires:web-db}-relation-departed'
function say_goodbye() {
    note
    for scope in $(relation_call --relation_name db conversations); do
        echo "goodbye, $scope" >>"$CHARM_DIR/notes"
    done
}

reactive_handler_main
