//! What a unit has outside Juju, as data: so that it can be looked at, copied with its model, and put back.

use std::any::{Any, type_name};
use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use super::instants::{Instants, short};
use super::programs::{Answers, Lines, Programs};
use crate::context::Resources;
use crate::juju::UnitName;
use crate::programs::{Processes, Runner};

/// What a test puts in the place of one unit's resources, made anew for each unit; see
/// [`Application::fake`](super::Application::fake).
pub struct Fakes {
    unit: UnitName,
    resources: Resources,
    cells: Vec<Rc<dyn AnyCell>>,
    watch: Rc<Watch>,
    runner: Rc<dyn Runner>,
}

impl Debug for Fakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fakes").field("unit", &self.unit).finish_non_exhaustive()
    }
}

impl Fakes {
    pub(crate) fn new(unit: UnitName) -> Self {
        Self {
            unit,
            resources: Resources::default(),
            cells: Vec::new(),
            watch: Rc::default(),
            runner: Rc::new(Processes),
        }
    }

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> &UnitName {
        &self.unit
    }

    /// Something of the unit's world, as data; handlers reach it through a resource that holds this.
    pub fn state<S: Clone + Hash + Debug + 'static>(&mut self, state: S) -> Fake<S> {
        let cell = Rc::new(FakeCell { state: RefCell::new(Rc::new(state)), watch: Rc::clone(&self.watch) });
        self.cells.push(Rc::clone(&cell) as Rc<dyn AnyCell>);
        Fake(cell)
    }

    /// The unit's handlers get this where they ask for [`Resource<T>`](crate::Resource), whatever the charm has been given.
    pub fn resource<T: 'static>(&mut self, value: T) {
        self.resource_as(Rc::new(value));
    }

    /// The same where they ask for a `Resource<dyn Trait>`: `fakes.resource_as::<dyn Server>(Rc::new(FakeServer(state)))`.
    pub fn resource_as<T: ?Sized + 'static>(&mut self, value: Rc<T>) {
        self.resources.insert(value);
    }

    /// No program is run, and this is what they answer; otherwise those that handlers run really are.
    pub fn programs(&mut self, programs: Programs) {
        let lines = self.state(Lines::default());
        self.runner = Rc::new(Answers { programs, lines });
    }

    /// What runs programs.
    pub(crate) fn runner(&self) -> Rc<dyn Runner> {
        Rc::clone(&self.runner)
    }

    pub(crate) fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Changes are told to who watches the hook that runs now; to nobody when none runs.
    pub(crate) fn watch(&self, hook: Option<&Rc<Instants>>) {
        *self.watch.0.borrow_mut() = hook.map(Rc::clone);
    }

    /// What is in all of them now. Nothing is copied before it is changed.
    pub(crate) fn save(&self) -> World {
        World(self.cells.iter().map(|cell| cell.save()).collect())
    }

    pub(crate) fn load(&self, world: &World) {
        for (cell, state) in self.cells.iter().zip(&world.0) {
            cell.load(state);
        }
    }
}

/// Makes the fakes of each unit of an application.
#[derive(Clone)]
pub(crate) struct MakeFakes(pub(crate) Rc<dyn Fn(&mut Fakes)>);

impl MakeFakes {
    /// These after the ones that were given before.
    pub(crate) fn after(before: Option<Self>, make: impl Fn(&mut Fakes) + 'static) -> Self {
        match before {
            None => Self(Rc::new(make)),
            Some(Self(before)) => Self(Rc::new(move |fakes| {
                before(fakes);
                make(fakes);
            })),
        }
    }

    pub(crate) fn of(&self, unit: &UnitName) -> Fakes {
        let mut fakes = Fakes::new(unit.clone());
        (self.0)(&mut fakes);
        fakes
    }
}

impl Debug for MakeFakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeFakes")
    }
}

/// Something of a unit's world outside Juju, as data. Handles on it share it.
///
/// What it holds is only reached through [`read`](Self::read) and [`change`](Self::change), each of which is one effect that a kill
/// can come before or after.
///
/// ```
/// use std::rc::Rc;
///
/// use zkpeer_core::testing::{Fake, Unit};
/// use zkpeer_core::{Flags, Resource, handlers, when_not};
///
/// /// What handlers ask for: in production files, in this test data.
/// trait Disk {
///     fn write(&self, name: &str, text: &str);
/// }
///
/// struct FakeDisk(Fake<Vec<(String, String)>>);
///
/// impl Disk for FakeDisk {
///     fn write(&self, name: &str, text: &str) {
///         self.0.change(|files| files.push((name.to_owned(), text.to_owned())));
///     }
/// }
///
/// #[when_not("written")]
/// fn write(disk: Resource<dyn Disk>, flags: Flags) {
///     disk.write("settings", "port=80");
///     flags.set("written");
/// }
///
/// let unit = Unit::new(handlers![write]).fake(|fakes| {
///     let files = fakes.state(Vec::new());
///     fakes.resource_as::<dyn Disk>(Rc::new(FakeDisk(files)));
/// });
/// let files: Vec<(String, String)> = unit.after("install").faked().unwrap();
/// assert_eq!(files, [("settings".to_owned(), "port=80".to_owned())]);
/// ```
///
/// [`Application::fake`](super::Application::fake) has the same for each unit of a model, and [`Model::fake`](super::Model::fake)
/// shows it.
pub struct Fake<S>(Rc<FakeCell<S>>);

impl<S> Clone for Fake<S> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<S: Debug> Debug for Fake<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fake").field(&*self.0.state.borrow()).finish()
    }
}

impl<S: Clone> Fake<S> {
    /// Looks at it.
    pub fn read<T>(&self, look: impl FnOnce(&S) -> T) -> T {
        let state = Rc::clone(&self.0.state.borrow());
        look(&state)
    }

    /// Changes it.
    ///
    /// # Panics
    ///
    /// If it is changed through another handle meanwhile: one of the two changes would be lost.
    pub fn change<T>(&self, change: impl FnOnce(&mut S) -> T) -> T {
        let watch = self.0.watch.0.borrow().clone();
        // A copy, so that the change may look at it through another handle, and has no effect on the dead.
        let before = Rc::clone(&self.0.state.borrow());
        let mut state = Rc::clone(&before);
        let result = change(Rc::make_mut(&mut state));
        assert!(
            Rc::ptr_eq(&before, &self.0.state.borrow()),
            "a fake `{}` is changed while it is being changed, and one of the two would be lost: make one change of them, or one \
             after the other",
            short(type_name::<S>())
        );
        let lives = watch.as_ref().is_none_or(|watch| watch.change(type_name::<S>()));
        if lives {
            *self.0.state.borrow_mut() = state;
        }
        if let Some(watch) = watch {
            watch.changed(type_name::<S>());
        }
        result
    }
}

struct FakeCell<S> {
    state: RefCell<Rc<S>>,
    watch: Rc<Watch>,
}

/// Who watches the hook that runs.
#[derive(Default)]
struct Watch(RefCell<Option<Rc<Instants>>>);

/// A cell, whatever it holds.
trait AnyCell {
    fn save(&self) -> Rc<dyn State>;
    fn load(&self, state: &Rc<dyn State>);
}

impl<S: Clone + Hash + Debug + 'static> AnyCell for FakeCell<S> {
    fn save(&self) -> Rc<dyn State> {
        Rc::clone(&self.state.borrow()) as Rc<dyn State>
    }

    fn load(&self, state: &Rc<dyn State>) {
        if let Ok(state) = Rc::clone(state).as_any().downcast::<S>() {
            *self.state.borrow_mut() = state;
        }
    }
}

/// What a cell holds, whatever that is.
trait State {
    fn as_any(self: Rc<Self>) -> Rc<dyn Any>;
    fn add_to(&self, hasher: &mut dyn Hasher);
    fn name(&self) -> &'static str;
    fn text(&self) -> String;
    fn line(&self) -> String;
}

impl<S: Hash + Debug + 'static> State for S {
    fn as_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }

    fn add_to(&self, mut hasher: &mut dyn Hasher) {
        self.hash(&mut hasher);
    }

    fn name(&self) -> &'static str {
        type_name::<Self>()
    }

    fn text(&self) -> String {
        format!("{self:#?}")
    }

    fn line(&self) -> String {
        format!("{self:?}")
    }
}

/// All of a unit's world, at one moment.
#[derive(Clone, Default)]
pub(crate) struct World(Vec<Rc<dyn State>>);

impl World {
    /// The first part of this type.
    pub(crate) fn get<S: Clone + 'static>(&self) -> Option<S> {
        self.0.iter().find_map(|state| Rc::clone(state).as_any().downcast::<S>().ok()).map(|state| (*state).clone())
    }

    /// Each part, for people: the name of its type, and what is in it.
    pub(crate) fn texts(&self) -> Vec<(&'static str, String)> {
        self.0.iter().map(|state| (short(state.name()), state.text())).collect()
    }

    /// The same, each in one line.
    pub(crate) fn lines(&self) -> Vec<(&'static str, String)> {
        self.0.iter().map(|state| (short(state.name()), state.line())).collect()
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.iter().for_each(|state| state.add_to(hasher));
    }
}

impl Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.texts()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fakes() -> Fakes {
        Fakes::new("zk/0".parse().unwrap())
    }

    #[test]
    fn what_is_saved_stays_and_can_be_put_back() {
        let mut fakes = fakes();
        let (files, runs) = (fakes.state(vec!["a"]), fakes.state(0_u32));
        let before = fakes.save();
        files.change(|files| files.push("b"));
        runs.change(|runs| *runs += 1);
        let after = fakes.save();
        assert_eq!((before.get::<Vec<&str>>(), before.get::<u32>()), (Some(vec!["a"]), Some(0)));
        assert_eq!((after.get::<Vec<&str>>(), after.get::<u32>()), (Some(vec!["a", "b"]), Some(1)));
        fakes.load(&before);
        assert_eq!(files.read(Vec::len), 1);
    }

    #[test]
    #[should_panic(expected = "a fake `i32` is changed while it is being changed")]
    fn a_change_within_a_change_is_not_lost_without_a_word() {
        let number = fakes().state(1);
        let other = number.clone();
        number.change(|number| {
            other.change(|number| *number += 10);
            *number += 1;
        });
    }

    #[test]
    fn a_change_may_look_through_another_handle() {
        let files = fakes().state(vec![1]);
        let other = files.clone();
        files.change(|files| files.push(other.read(|files| files[0]) + 1));
        assert_eq!(other.read(Clone::clone), [1, 2]);
    }
}
