//! What runs have shown completes what the source shows, and contradicts it where that was wrong.

use super::{Finding, Graph, Kind, Node, Use};
use crate::notes::What;
use crate::report::Report;
use crate::trigger::Edge;

impl Graph {
    /// Adds what a run has shown: which flags each handler has changed.
    ///
    /// A handler whose source shows all that it does, or that declares it (`sets`, `clears`), and that has done something else,
    /// is a finding.
    pub fn seen(&mut self, report: &Report) {
        for call in report.rounds.iter().flat_map(|round| &round.handlers) {
            let Some(at) = self.nodes.iter().position(|node| node.id == call.name) else { continue };
            for change in &call.changes {
                self.saw(at, &change.flag, change.edge);
            }
        }
    }

    fn saw(&mut self, at: usize, flag: &str, edge: Edge) {
        let node = &self.nodes[at];
        let what = if edge == Edge::Set { What::Sets } else { What::Clears };
        if node.does(what, flag) || self.is_triggered(flag, edge) {
            return;
        }
        if node.known && !node.of_interfaces.contains(flag) {
            let finding = undeclared(node, flag, edge);
            self.undeclared.push(finding);
        }
        let place = node.place.clone();
        let new = Use { what, flag: flag.to_owned(), place, always: false };
        self.nodes[at].uses.push(new);
    }

    /// Whether a trigger may have done it; then the handler that ran has not.
    fn is_triggered(&self, flag: &str, edge: Edge) -> bool {
        self.triggers.iter().any(|trigger| trigger.other == flag && trigger.then == edge)
    }
}

fn undeclared(node: &Node, flag: &str, edge: Edge) -> Finding {
    let attribute = if edge == Edge::Set { "sets" } else { "clears" };
    Finding {
        place: node.place.clone(),
        kind: Kind::UndeclaredChange,
        subject: Some(flag.to_owned()),
        handlers: vec![node.id.clone()],
        message: format!(
            "`{}` has {edge} the flag `{flag}`, and neither its source nor an attribute shows that it does: \
             `#[{attribute}(\"{flag}\")]`",
            node.name
        ),
        certain: true,
    }
}
