//! The smallest case in which the two sides still part in the same way.

use crate::case::{Case, Condition, Endpoint, MODERN, Step, Trigger};

/// Makes the case smaller as long as `is_wrong` finds the same in what is left.
pub(crate) fn shrink(case: &Case, mut is_wrong: impl FnMut(&Case) -> bool) -> Case {
    let mut best = case.clone();
    let mut tries = 3000;
    loop {
        let smaller = candidates(&best).into_iter().filter(is_sound).find(|candidate| {
            tries -= 1;
            tries > 0 && is_wrong(candidate)
        });
        match smaller {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

/// Whether all endpoints are there whose hooks handlers are for; a charm without them does not start.
fn is_sound(case: &Case) -> bool {
    let patterns = case.handlers.iter().flat_map(|handler| &handler.conditions).flat_map(|condition| match condition {
        Condition::Hook(patterns) => patterns.as_slice(),
        _ => &[],
    });
    let mut endpoints = patterns.filter_map(|pattern| pattern.split_once("-relation-"));
    endpoints.all(|(name, _)| name.starts_with('{') || case.endpoints.iter().any(|endpoint| endpoint.name == name))
        && case
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.interface == MODERN)
            .all(|endpoint| is_waited_for(case, endpoint))
}

/// Whether some handler waits for a flag of the endpoint; otherwise its flags are those of one hook, if they are asked for.
fn is_waited_for(case: &Case, endpoint: &Endpoint) -> bool {
    let own = format!("endpoint.{}.", endpoint.name);
    case.handlers.iter().any(|handler| {
        let mut conditions = handler.conditions.clone();
        let mut names = conditions.iter_mut().filter_map(Condition::names).flatten();
        handler.instances_of() == Some(endpoint.role) || names.any(|name| name.starts_with(&own))
    })
}

/// The case with one thing less, the large things first.
fn candidates(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    without_each(case, |case| &mut case.handlers, &mut all);
    for length in [case.story.len() / 2, case.story.len().saturating_sub(1)] {
        if length < case.story.len() {
            let mut shorter = case.clone();
            shorter.story.truncate(length);
            all.push(shorter);
        }
    }
    without_each(case, |case| &mut case.story, &mut all);
    without_each(case, |case| &mut case.triggers, &mut all);
    without_each(case, |case| &mut case.at_start, &mut all);
    without_each(case, |case| &mut case.at_exit, &mut all);
    without_each(case, |case| &mut case.endpoints, &mut all);
    for number in 0..case.endpoints.len() {
        without_each(case, |case| &mut case.endpoints[number].triggers, &mut all);
        without_each(case, |case| &mut case.endpoints[number].manage, &mut all);
    }
    for number in 0..case.story.len() {
        of_event(case, number, &mut all);
    }
    for number in 0..case.handlers.len() {
        of_handler(case, number, &mut all);
    }
    for number in 0..case.triggers.len() {
        of_trigger(&case.triggers[number], |smaller| {
            let mut next = case.clone();
            next.triggers[number] = smaller;
            all.push(next);
        });
    }
    all
}

fn without_each<T: Clone>(case: &Case, list: impl Fn(&mut Case) -> &mut Vec<T>, all: &mut Vec<Case>) {
    let mut whole = case.clone();
    for at in (0..list(&mut whole).len()).rev() {
        let mut smaller = case.clone();
        list(&mut smaller).remove(at);
        all.push(smaller);
    }
}

fn of_handler(case: &Case, number: usize, all: &mut Vec<Case>) {
    without_each(case, |case| &mut case.handlers[number].runs, all);
    without_each(case, |case| &mut case.handlers[number].conditions, all);
    for run in 0..case.handlers[number].runs.len() {
        without_each(case, |case| &mut case.handlers[number].runs[run], all);
        for step in 0..case.handlers[number].runs[run].len() {
            let Step::Trigger(trigger) = &case.handlers[number].runs[run][step] else { continue };
            of_trigger(trigger, |smaller| {
                let mut next = case.clone();
                next.handlers[number].runs[run][step] = Step::Trigger(smaller);
                all.push(next);
            });
        }
    }
    for condition in 0..case.handlers[number].conditions.len() {
        let names = case.handlers[number].conditions[condition].clone().names().map_or(0, |names| names.len());
        for name in (0..names).filter(|_| names > 1) {
            let mut next = case.clone();
            let names = Condition::names(&mut next.handlers[number].conditions[condition]);
            names.into_iter().for_each(|names| drop(names.remove(name)));
            all.push(next);
        }
    }
}

/// The same with one key less in a databag.
fn of_event(case: &Case, number: usize, all: &mut Vec<Case>) {
    let mut event = case.story[number].clone();
    let Some(bag) = event.bag() else { return };
    for key in bag.clone().keys() {
        let mut next = case.clone();
        if let Some(bag) = next.story[number].bag() {
            bag.remove(key);
        }
        all.push(next);
    }
}

fn of_trigger(trigger: &Trigger, mut add: impl FnMut(Trigger)) {
    let sides = [trigger.set.is_some(), trigger.clear.is_some(), !trigger.call.is_empty()];
    if sides.iter().filter(|side| **side).count() > 1 {
        if trigger.set.is_some() {
            add(Trigger { set: None, ..trigger.clone() });
        }
        if trigger.clear.is_some() {
            add(Trigger { clear: None, ..trigger.clone() });
        }
        if !trigger.call.is_empty() {
            add(Trigger { call: Vec::new(), ..trigger.clone() });
        }
    }
    for at in (0..trigger.call.len()).filter(|_| trigger.call.len() > 1) {
        let mut smaller = trigger.clone();
        smaller.call.remove(at);
        add(smaller);
    }
}
