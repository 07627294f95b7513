//! The author's own values, by type; each is there once, or is made when a handler asks for it.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::Context;

/// The author's own values, by type.
#[derive(Clone, Default)]
pub(crate) struct Resources(BTreeMap<TypeId, Source>);

/// Where a value comes from. What is behind the `Any` is an `Rc<T>`, as a `T` without a size fits in no `Any` itself.
#[derive(Clone)]
enum Source {
    Value(Rc<dyn Any>),
    Made(Rc<Make>),
}

type Make = dyn Fn(&Context) -> crate::Result<Box<dyn Any>>;

impl Resources {
    pub(crate) fn insert<T: ?Sized + 'static>(&mut self, value: Rc<T>) {
        self.0.insert(TypeId::of::<T>(), Source::Value(Rc::new(value)));
    }

    pub(crate) fn insert_made<T: ?Sized + 'static>(
        &mut self,
        make: impl Fn(&Context) -> crate::Result<Rc<T>> + 'static,
    ) {
        let make = move |context: &Context| Ok(Box::new(make(context)?) as Box<dyn Any>);
        self.0.insert(TypeId::of::<T>(), Source::Made(Rc::new(make)));
    }

    pub(crate) fn contains<T: ?Sized + 'static>(&self) -> bool {
        self.0.contains_key(&TypeId::of::<T>())
    }

    /// The value for a handler that runs; none if there is none of this type.
    pub(crate) fn get<T: ?Sized + 'static>(&self, context: &Context) -> crate::Result<Option<Rc<T>>> {
        Ok(match self.0.get(&TypeId::of::<T>()) {
            Some(Source::Value(value)) => value.downcast_ref::<Rc<T>>().cloned(),
            Some(Source::Made(make)) => make(context)?.downcast::<Rc<T>>().ok().map(|value| *value),
            None => None,
        })
    }

    /// The same, and others in the place of its own of the same types.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn with(&self, others: &Self) -> Self {
        Self(self.0.iter().chain(&others.0).map(|(of, source)| (*of, source.clone())).collect())
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} resources", self.0.len())
    }
}
