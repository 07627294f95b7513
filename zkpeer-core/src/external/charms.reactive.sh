#!/bin/bash
# For handlers in bash, which source it: functions with conditions, and what they ask and tell the charm that runs them.
# Its interface is that of the library of the same name in charms.reactive 1.5.3.

# With `set -x` the handler's own commands are shown, and those of this file only with CHARMS_REACTIVE_TRACE=true.
{ _reactive_options=$-; set +x; } 2>/dev/null
if [[ ${CHARMS_REACTIVE_TRACE-} == true ]]; then set -x; fi

if [[ $0 == "${BASH_SOURCE[0]}" ]]; then
    cat <<'TEXT'
A handler in bash is an executable file in reactive/ of the charm:

    #!/bin/bash
    source charms.reactive.sh

    @when website.available
    @when_not website.configured
    function configure() {
        relation_call --flag website.available set_remote port 80
        set_flag website.configured
    }

    reactive_handler_main

Conditions, each on a line of its own above a function:
  @hook PATTERN...            one of these hooks runs
  @when FLAG...               all of the flags are set (also @when_all)
  @when_any FLAG...           one of the flags is set
  @when_not FLAG...           none of the flags is set (also @when_none)
  @when_not_all FLAG...       one of the flags is not set
  @when_file_changed FILE...  one of the files has changed
  @only_once                  the function has not run yet

Commands:
  set_flag, clear_flag, all_flags_set, any_flags_set
  relation_call, name_relation_get
  charms.reactive --help      has all of them
TEXT
    exit 0
fi

shopt -s expand_aliases
export PATH=$PATH:$CHARM_DIR/bin
export PYTHONPATH=${PYTHONPATH-}:$CHARM_DIR/lib

# How the file was started: --test, or --invoke and the functions that are to run.
REACTIVE_ACTION=${1:---test}
REACTIVE_ARGS=${2-}
# By the names of functions: what each is stored as, and its conditions.
declare -A REACTIVE_HANDLERS
declare -A REACTIVE_TESTS
# The names in the order of their lines.
declare -a REACTIVE_ORDER

# Goes on with what was shown before.
function _reactive_show_again() {
    if [[ $1 == *x* && ${CHARMS_REACTIVE_TRACE-} != true ]]; then set -x; fi
}

# FILE LINE: the function that the condition at this line is for, as _reactive_function and _reactive_line.
function _reactive_find_function() {
    local lines line
    local name='[^][:space:](){};|&<>$]+'
    mapfile -t -O 1 lines <"$1"
    for ((_reactive_line = $2 + 1; _reactive_line <= ${#lines[@]}; _reactive_line++)); do
        line=${lines[_reactive_line]}
        if [[ ${lines[_reactive_line - 1]} == *\\ || $line =~ ^[[:space:]]*(@|#|$) ]]; then
            continue
        fi
        if [[ $line =~ ^[[:space:]]*function[[:space:]]+($name) || $line =~ ^[[:space:]]*($name)[[:space:]]*\([[:space:]]*\) ]]; then
            _reactive_function=${BASH_REMATCH[1]}
            return
        fi
        break
    done
    charms.reactive --broken-handler "$1:$2: this condition stands above no function"
    exit 1
}

# TEST ARGUMENT...: one condition of the function below.
function @decorator() {
    { local _reactive_shown=$-; set +x; } 2>/dev/null
    local _reactive_function _reactive_line _reactive_argument _reactive_text=
    _reactive_find_function "${BASH_SOURCE[1]}" "${BASH_LINENO[0]}"
    if [[ -z ${REACTIVE_HANDLERS[$_reactive_function]+set} ]]; then
        REACTIVE_HANDLERS[$_reactive_function]=${BASH_SOURCE[1]}:$_reactive_line:$_reactive_function
        REACTIVE_ORDER+=("$_reactive_function")
        REACTIVE_TESTS[$_reactive_function]="'$_reactive_function' '${REACTIVE_HANDLERS[$_reactive_function]}'"
    fi
    for _reactive_argument in "${@:2}"; do
        _reactive_argument=${_reactive_argument//\\/\\\\}
        _reactive_text+="\"${_reactive_argument//\"/\\\"}\" "
    done
    REACTIVE_TESTS[$_reactive_function]+=" '$1' '${_reactive_text//\'/\'\\\'\'}'"
    _reactive_show_again "$_reactive_shown"
}

# The last line of a handler: says which functions are to run, or runs them.
function reactive_handler_main() {
    { local _reactive_shown=$-; set +x; } 2>/dev/null
    local _reactive_function _reactive_due _reactive_list=()
    case $REACTIVE_ACTION in
    --test)
        for _reactive_function in "${REACTIVE_ORDER[@]}"; do
            _reactive_list+=("${REACTIVE_TESTS[$_reactive_function]}")
        done
        _reactive_due=$(charms.reactive test "${_reactive_list[@]}") || exit 1
        [[ -n $_reactive_due ]] || exit 1
        echo "$_reactive_due"
        exit 0
        ;;
    --invoke)
        for _reactive_function in ${REACTIVE_ARGS//,/ }; do
            echo "${0##*/}: $_reactive_function" >&2
            _reactive_show_again "$_reactive_shown"
            "$_reactive_function"
            { set +x; } 2>/dev/null
            _reactive_list+=("${REACTIVE_HANDLERS[$_reactive_function]}")
        done
        charms.reactive mark_invoked "${_reactive_list[@]}"
        ;;
    esac
    _reactive_show_again "$_reactive_shown"
}

# FLAG METHOD ARGUMENT...: the old way to write relation_call --flag FLAG METHOD ARGUMENT...
function state_relation_call() {
    { local _reactive_shown=$-; set +x; } 2>/dev/null
    charms.reactive relation_call --flag "$1" "${@:2}"
    _reactive_show_again "$_reactive_shown"
}

# ENDPOINT UNIT [KEY] [OPTION...]: relation-get by the endpoint's name.
function name_relation_get() {
    { local _reactive_shown=$-; set +x; } 2>/dev/null
    local _reactive_relation _reactive_key=- _reactive_options_at=3
    if [[ -n ${3-} && ${3-} != --* ]]; then
        _reactive_key=$3 _reactive_options_at=4
    fi
    _reactive_relation=$(charms.reactive relation_id "$1" "$2")
    relation-get -r "$_reactive_relation" "$_reactive_key" "$2" "${@:_reactive_options_at}"
    _reactive_show_again "$_reactive_shown"
}

alias @hook='@decorator hook'
alias @when='@decorator when'
alias @when_all='@decorator when_all'
alias @when_any='@decorator when_any'
alias @when_not='@decorator when_not'
alias @when_none='@decorator when_none'
alias @when_not_all='@decorator when_not_all'
alias @when_file_changed='@decorator when_file_changed'
alias @only_once='@decorator only_once'
alias set_flag='charms.reactive set_flag'
alias clear_flag='charms.reactive clear_flag'
alias all_flags_set='charms.reactive all_flags_set'
alias any_flags_set='charms.reactive any_flags_set'
alias relation_call='charms.reactive relation_call'
# The same by the names of charms.reactive before 0.5.
alias set_state='charms.reactive set_flag'
alias remove_state='charms.reactive clear_flag'
alias all_states='charms.reactive all_flags_set'
alias any_states='charms.reactive any_flags_set'

_reactive_show_again "$_reactive_options"
