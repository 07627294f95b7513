use zkpeer_core::{
    Flags, Result, action, collect_metrics, hook, meter_status_changed, not_unless, only_once, when, when_any,
    when_file_changed,
};

#[hook("install")]
#[when("a")]
#[when_any("b", "c")]
fn hook_with_when() {}

#[when("a")]
#[hook("install")]
fn when_with_hook() {}

#[hook("install")]
#[hook("start")]
fn hook_with_hook() {}

#[action("a")]
#[action("b")]
fn action_with_action() {}

#[hook("install")]
#[action("a")]
fn hook_with_action() {}

#[hook("install")]
#[only_once]
fn hook_with_only_once() {}

#[action("a")]
#[when("a")]
fn action_with_when() {}

#[when_file_changed("/etc/hosts")]
#[hook("install")]
fn file_with_hook() {}

#[collect_metrics]
#[when("a")]
fn metrics_with_when() {}

#[hook("install")]
#[meter_status_changed]
fn hook_with_meter() {}

#[collect_metrics]
#[meter_status_changed]
fn metrics_with_meter() {}

#[collect_metrics]
#[not_unless("a")]
fn metrics_with_not_unless(_: Flags) -> Result {
    Ok(())
}

fn main() {}
