//! What one run of a hook can see and change.

use crate::handler::HandlerDef;
use crate::metadata::Metadata;

/// What one run of a hook can see and change; shared by all that a handler asks for.
#[derive(Clone, Debug)]
pub struct Context {}

/// One call of one handler.
#[derive(Debug)]
pub struct Call<'a> {
    context: &'a Context,
    handler: &'static HandlerDef,
}

impl<'a> Call<'a> {
    /// The hook's context.
    #[doc(hidden)]
    #[must_use]
    pub fn context(&self) -> &'a Context {
        self.context
    }

    /// The parameter of this number, from 0.
    #[doc(hidden)]
    #[must_use]
    pub fn param(&self, index: usize) -> Param<'a> {
        let _ = (self.handler, index);
        Param { endpoint: None }
    }
}

/// What is known of a parameter besides its type.
#[derive(Debug)]
#[non_exhaustive]
pub struct Param<'a> {
    /// The endpoint that it speaks for, if its type is an interface.
    pub endpoint: Option<&'a str>,
}

/// What is known of a charm before the first handler runs.
#[derive(Debug)]
#[non_exhaustive]
pub struct Setup<'a> {
    /// The charm's metadata.
    pub metadata: &'a Metadata,
}
