//! The file in which charmhelpers keeps the configuration that the last hook saw.
//!
//! Ours is in the store, and kept with it. The file is written after the commit, so that the charm can go back to Python; a
//! kill may come in between, and Python may have written it since. So the store says how we have left the file: if it is
//! neither that nor the one that was to be replaced, Python has seen the configuration after us, and what it has seen counts.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::automatic::CONFIG_KEY;
use crate::context::Context;
use crate::error::{Error, complain, describe};
use crate::hash::Hash;
use crate::juju::LogLevel;
use crate::metadata;
use crate::store::{Json, JsonObject, JsonString};

/// The file's name in the charm's directory.
const NAME: &str = ".juju-persistent-config";
/// Where it is written before it takes its place.
const NEW_NAME: &str = ".juju-persistent-config.new";
/// Where the store has what is known of it.
const KNOWN: &str = "zkpeer.python_config";

/// How we have left the file.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    /// The hash of what is in it.
    hash: String,
    /// When the file that it replaces was written, in nanoseconds since 1970: as long as there is that one, ours has not been
    /// written.
    replaces: Option<u64>,
}

/// The file as it is now.
struct Found {
    text: String,
    modified: Option<u64>,
}

impl Found {
    fn read(charm_dir: &Path) -> Result<Option<Self>, Error> {
        let path = charm_dir.join(NAME);
        let read = || -> io::Result<Self> {
            let modified = fs::metadata(&path)?.modified().ok();
            let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            // What is no text is no JSON either.
            let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
            Ok(Self { text, modified: since.and_then(|since| u64::try_from(since.as_nanos()).ok()) })
        };
        match read() {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    fn is(&self, known: &Known) -> bool {
        hash(&self.text) == known.hash || (self.modified.is_some() && self.modified == known.replaces)
    }

    /// All that is in it: options, and what the charm has kept there besides.
    fn values(&self) -> Option<JsonObject> {
        match Json::parse(&self.text) {
            Ok(Json::Object(values)) => Some(values),
            _ => None,
        }
    }
}

/// If Python has seen the configuration after us, what it saw is what the hook before saw. This is kept at once: the file may be
/// replaced in this hook, and the hook be taken back.
pub(super) fn at_start(context: &Context) -> Result<(), Error> {
    let Some(found) = Found::read(context.charm_dir())? else { return Ok(()) };
    if context.get::<Known>(KNOWN)?.is_some_and(|known| found.is(&known)) {
        return Ok(());
    }
    match found.values() {
        Some(values) => context.set(CONFIG_KEY, &options(context, &values)?)?,
        None => {
            // charmhelpers takes all options for changed, then.
            context.unset(CONFIG_KEY);
            let message =
                format!("{NAME} is not what charmhelpers writes: every option counts as changed in this hook");
            context.log(LogLevel::Warning, &message);
        }
    }
    context.set(KNOWN, &Known { hash: hash(&found.text), replaces: None })?;
    Ok(context.commit()?)
}

/// The options in it. What else a charm on charms.reactive keeps there has no flags, nor has what is no option any more.
fn options<'v>(context: &Context, values: &'v JsonObject) -> Result<BTreeMap<&'v str, Value>, Error> {
    let known = metadata::read_config_defaults(context.charm_dir())?;
    let option = |(key, value): (&'v JsonString, &Json)| {
        let key = key.as_str().filter(|key| known.contains_key(*key))?;
        Some((key, value.to().ok()?))
    };
    Ok(values.iter().filter_map(option).collect())
}

/// What is to be in the file after this hook, if that is something else than now: the configuration that the hook has seen, and
/// what else was there.
fn wanted(context: &Context) -> Result<Option<(Option<Found>, String)>, Error> {
    let cache = context.cache().borrow();
    let Some(config) = &cache.config else { return Ok(None) };
    let found = Found::read(context.charm_dir())?;
    if found.is_none() && !context.outside().may_go_back_to_python {
        return Ok(None);
    }
    let before = found.as_ref().and_then(Found::values);
    // Juju leaves out what has no value; to charmhelpers it is `null`.
    let mut seen: BTreeMap<String, Value> =
        metadata::read_config_defaults(context.charm_dir())?.into_keys().map(|option| (option, Value::Null)).collect();
    seen.extend((**config).clone());
    let Ok(Json::Object(seen)) = Json::from_serialize(&seen) else { return Ok(None) };
    let all = before.iter().flat_map(JsonObject::iter).chain(seen.iter());
    let values: JsonObject = all.map(|(key, value)| (key.clone(), value.clone())).collect();
    if before.as_ref() == Some(&values) {
        return Ok(None);
    }
    Ok(Some((found, Json::Object(values).to_string())))
}

/// The store learns what will be in the file. This is not taken back with the hook if Juju does not keep it.
pub(super) fn before_commit(context: &Context) -> Result<(), Error> {
    let Some((found, text)) = wanted(context)? else { return Ok(()) };
    let replaces = found.and_then(|found| found.modified);
    context.set(KNOWN, &Known { hash: hash(&text), replaces })?;
    Ok(())
}

/// Writes the file, whole or not at all. The hook is done: if this fails, Python will take more for changed than has, should the
/// charm go back to it.
pub(crate) fn after_commit(context: &Context) {
    if context.event().is_restricted() {
        return;
    }
    let write = || -> Result<(), Error> {
        let Some((_, text)) = wanted(context)? else { return Ok(()) };
        let path = context.charm_dir().join(NAME);
        replace(&path, &context.charm_dir().join(NEW_NAME), &text).map_err(|source| Error::Write { path, source })
    };
    if let Err(error) = write() {
        complain(&format!("WARNING {}", describe(&error)));
    }
}

fn replace(path: &Path, new: &PathBuf, text: &str) -> io::Result<()> {
    // Options may be secret.
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(new, path)
}

fn hash(text: &str) -> String {
    Hash::Md5.of_text(text)
}
