use zkpeer_core::{Flags, Result, collect_metrics, meter_status_changed, not_unless, only_once};

#[only_once(was = "reactive/x.py:1:a")]
#[only_once(was = "reactive/x.py:2:b")]
fn only_once_twice() {}

#[not_unless("a")]
#[not_unless("b")]
fn not_unless_twice(_: Flags) -> Result {
    Ok(())
}

#[collect_metrics]
#[collect_metrics]
fn metrics_twice() {}

#[collect_metrics("a")]
fn metrics_with_arguments() {}

#[meter_status_changed(red)]
fn meter_with_arguments() {}

fn main() {
    let _ = not_unless_twice;
}
