//! Versions of Juju, each checked once where it enters.

use std::fmt;
use std::str::FromStr;

use crate::juju::NameError;

/// The version of Juju that is simulated: 2.9, 3.x or 4.0, with everything the contract says that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JujuVersion {
    text: String,
    number: (u32, u32, u32),
}

impl JujuVersion {
    /// Whether this is the given version or a later one.
    #[must_use]
    pub fn at_least(&self, major: u32, minor: u32, patch: u32) -> bool {
        self.number >= (major, minor, patch)
    }

    /// Leader settings, `private-address` and `JUJU_SLA` went away with 4.0.
    pub(crate) fn is_four(&self) -> bool {
        self.at_least(4, 0, 0)
    }

    /// Metrics and meter status were taken out in 3.6.10.
    pub(crate) fn has_metrics(&self) -> bool {
        !self.at_least(3, 6, 10)
    }
}

impl Default for JujuVersion {
    fn default() -> Self {
        Self { text: "3.6.25".to_owned(), number: (3, 6, 25) }
    }
}

impl fmt::Display for JujuVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for JujuVersion {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError(format!("`{text}` is not a version of Juju: it has to look like `3.6.25`"));
        let mut parts = text.split(['.', '-']);
        let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
        let (major, minor) = (number().ok_or_else(wrong)?, number().ok_or_else(wrong)?);
        let patch = number().unwrap_or(0);
        if (major, minor) < (2, 9) || (major, minor) > (4, 0) {
            return Err(NameError(format!("Juju {text} is not simulated: choose a version from 2.9 to 4.0")));
        }
        Ok(Self { text: text.to_owned(), number: (major, minor, patch) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_with_candidates_are_understood() {
        assert!("2.9-rc1".parse::<JujuVersion>().unwrap().has_metrics());
        assert!("3.4.2.1".parse::<JujuVersion>().unwrap().at_least(3, 4, 2));
        assert!("4.0.14".parse::<JujuVersion>().unwrap().is_four());
        assert!("2.7.8".parse::<JujuVersion>().is_err());
    }
}
