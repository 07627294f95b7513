//! `render_template`: a Jinja2 template of the charm, with the variables of the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::arguments::Line;
use super::wire::Answer;

/// Renders `templates/SOURCE` to TARGET.
#[cfg(not(feature = "templates"))]
pub(super) fn render(_: &Line, _: &BTreeMap<OsString, OsString>, _: &Path) -> Answer {
    let message = "ERROR charms.reactive render_template: this charm was built without it; enable the feature `templates` of \
                   zkpeer-core in the charm's Cargo.toml";
    Answer::refused(1, message)
}

/// Renders `templates/SOURCE` to TARGET, which may then only be read.
#[cfg(feature = "templates")]
pub(super) fn render(line: &Line, vars: &BTreeMap<OsString, OsString>, directory: &Path) -> Answer {
    match jinja::render(line.argument(0), &directory.join(line.argument(1)), vars) {
        Ok(()) => Answer { code: 0, stdout: String::new(), stderr: String::new() },
        Err(error) => Answer::refused(1, &format!("ERROR charms.reactive render_template: {error}")),
    }
}

#[cfg(feature = "templates")]
mod jinja {
    use std::collections::BTreeMap;
    use std::ffi::{OsStr, OsString};
    use std::fs::{self, DirBuilder, OpenOptions};
    use std::io::{ErrorKind, Write};
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    use std::path::{Path, PathBuf};

    use minijinja::{AutoEscape, Environment};

    use crate::error::describe;

    pub(super) fn render(source: &str, target: &Path, vars: &BTreeMap<OsString, OsString>) -> Result<(), String> {
        let charm_dir = ["JUJU_CHARM_DIR", "CHARM_DIR"].into_iter().find_map(|name| vars.get(OsStr::new(name)));
        let templates = PathBuf::from(charm_dir.ok_or("CHARM_DIR is not set")?).join("templates");
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_loader(move |name| match fs::read_to_string(templates.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let message = format!("cannot read {}", templates.join(name).display());
                Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message).with_source(error))
            }
        });
        let text_of = |text: &OsString| text.to_string_lossy().into_owned();
        let values: BTreeMap<String, String> =
            vars.iter().map(|(name, value)| (text_of(name), text_of(value))).collect();
        let rendered = environment.get_template(source).and_then(|template| template.render(values));
        let rendered = rendered.map_err(|error| describe(&error))?;
        write(target, &rendered).map_err(|error| format!("cannot write {}: {error}", target.display()))
    }

    /// All of the text or none of it is there, for everybody to read.
    fn write(target: &Path, text: &str) -> std::io::Result<()> {
        if let Some(parent) = target.parent() {
            DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
        }
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let new = target.with_file_name(name);
        let written = OpenOptions::new().write(true).create_new(true).mode(0o444).open(&new);
        let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
        let placed = written.and_then(|()| fs::rename(&new, target));
        if placed.is_err() {
            // The error says what is wrong; that this cannot be removed either says nothing more.
            let _ = fs::remove_file(&new);
        }
        placed
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_template_of_the_charm_is_rendered_with_the_variables_of_the_environment() {
            let charm = tempfile::tempdir().unwrap();
            fs::create_dir(charm.path().join("templates")).unwrap();
            fs::write(charm.path().join("templates/base"), "[{% block all %}{% endblock %}]\n").unwrap();
            let text = "{% extends 'base' %}{% block all %}{% if TITLE %}{{ TITLE|upper }}, {{ no }}<>{% endif %}{% endblock %}";
            fs::write(charm.path().join("templates/page.html"), text).unwrap();
            let vars = [("CHARM_DIR", charm.path().as_os_str()), ("TITLE", OsStr::new("hello"))];
            let vars = vars.into_iter().map(|(name, value)| (name.into(), value.to_owned())).collect();
            let target = charm.path().join("etc/web/page.html");
            for _ in 0..2 {
                render("page.html", &target, &vars).unwrap();
                assert_eq!(fs::read_to_string(&target).unwrap(), "[HELLO, <>]");
            }
            let error = render("missing", &target, &vars).unwrap_err();
            assert!(error.contains("missing"), "{error}");
        }
    }
}
