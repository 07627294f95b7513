//! A value that copies of a model share until one of them changes it, with a sum over it that is made once.

use std::cell::Cell;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use siphasher::sip128::{Hasher128, SipHasher13};

/// Shared until it is changed: to reach it mutably makes a copy if there is another owner.
#[derive(Clone, Default)]
pub(crate) struct Shared<T>(Rc<Inner<T>>);

#[derive(Clone, Default)]
struct Inner<T> {
    value: T,
    sum: Cell<Option<u128>>,
}

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Rc::new(Inner { value, sum: Cell::new(None) }))
    }
}

impl<T: Clone> Shared<T> {
    pub(crate) fn into_inner(self) -> T {
        Rc::unwrap_or_clone(self.0).value
    }
}

impl<T: Hash> Shared<T> {
    /// Equal values have equal sums.
    pub(crate) fn sum(&self) -> u128 {
        let made = self.0.sum.get().unwrap_or_else(|| sum_of(&self.0.value));
        self.0.sum.set(Some(made));
        made
    }
}

/// A sum over a value: two that differ have the same one as good as never.
pub(crate) fn sum_of(value: &(impl Hash + ?Sized)) -> u128 {
    let mut hasher = SipHasher13::new();
    value.hash(&mut hasher);
    hasher.finish128().as_u128()
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        let inner = Rc::make_mut(&mut self.0);
        inner.sum.set(None);
        &mut inner.value
    }
}

impl<T: Debug> Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0) || self.0.value == other.0.value
    }
}

impl<T: Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.sum().hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_only_of_the_copy_that_is_changed_and_its_sum_follows() {
        let mut one = Shared::new(vec![1]);
        let other = one.clone();
        let sum = one.sum();
        one.push(2);
        assert_eq!((&*one, &*other), (&vec![1, 2], &vec![1]));
        assert_ne!(one.sum(), sum);
        assert_eq!(other.sum(), sum);
        one.pop();
        assert_eq!(one.sum(), sum);
    }
}
