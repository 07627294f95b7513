//! The model's time: civil dates, the texts in which Juju shows and takes them, and Go's durations.

use std::time::Duration;

/// 2024-05-01T10:00:00Z, when every model begins.
pub(crate) const START: Duration = Duration::from_secs(1_714_557_600);

const DAY: u64 = 86_400;

/// A moment as `goal-state` shows it: `2024-05-01 10:00:00Z`.
pub(crate) fn since(at: Duration) -> String {
    let (year, month, day) = date(at);
    let seconds = at.as_secs() % DAY;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A moment as RFC 3339 writes it: `2024-05-01T10:00:00Z`.
pub(crate) fn rfc3339(at: Duration) -> String {
    since(at).replacen(' ', "T", 1)
}

/// Reads RFC 3339, with an offset, or without one for UTC. None before 1970.
pub(crate) fn parse_time(text: &str) -> Option<Duration> {
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (time, offset) = time.split_at_checked(at)?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(whole, ':', [2, 2, 2])?;
    let fraction = fraction.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{fraction:0<9}"))?;
    let nanos = fraction.get(..9)?.parse().ok()?;
    if !(1..=12).contains(&month) || day < 1 || day > length(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days(year, month, day)? * DAY + hour * 3600 + minute * 60 + second;
    Some(Duration::new(seconds.checked_add_signed(-offset_seconds(offset)?)?, nanos))
}

/// `Z`, nothing, or `+02:00`.
fn offset_seconds(text: &str) -> Option<i64> {
    if matches!(text, "" | "Z") {
        return Some(0);
    }
    let [hours, minutes] = numbers(text.get(1..)?, ':', [2, 2])?;
    let seconds = i64::try_from(hours * 3600 + minutes * 60).ok().filter(|_| hours < 24 && minutes < 60)?;
    Some(if text.starts_with('-') { -seconds } else { seconds })
}

/// So many numbers of so many digits each.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[u64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (number, width) in found.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// Reads a duration as Go writes it (`24h`, `1h30m`, `-1.5s`), in nanoseconds.
pub(crate) fn parse_duration(text: &str) -> Option<i128> {
    const UNITS: &[(&str, i128)] = &[
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    let mut total = 0;
    while !rest.is_empty() || total == 0 {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_end)?;
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && part.is_empty() || part.contains('.') || whole.len() > 18 || part.len() > 18 {
            return None;
        }
        let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<i128>().ok() };
        let scale = 10_i128.pow(u32::try_from(part.len()).ok()?);
        total += digits(whole)? * nanos + digits(part)? * nanos / scale;
        rest = tail;
        if rest.is_empty() {
            break;
        }
    }
    Some(if text.starts_with('-') { -total } else { total })
}

/// The same time of day so many months later; a day that the month does not have runs over into the next, as in Go.
pub(crate) fn after_months(at: Duration, months: u64) -> Duration {
    let (year, month, day) = date(at);
    let count = month - 1 + months;
    let (year, month) = (year + count / 12, count % 12 + 1);
    let first = days(year, month, 1).unwrap_or_default();
    Duration::new((first + day - 1) * DAY + at.as_secs() % DAY, at.subsec_nanos())
}

fn date(at: Duration) -> (u64, u64, u64) {
    let mut days = at.as_secs() / DAY;
    let mut year = 1970;
    while days >= year_length(year) {
        days -= year_length(year);
        year += 1;
    }
    let mut month = 1;
    while days >= length(year, month) {
        days -= length(year, month);
        month += 1;
    }
    (year, month, days + 1)
}

/// Days since 1970-01-01.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let years: u64 = (1970..year).map(year_length).sum();
    let months: u64 = (1..month).map(|month| length(year, month)).sum();
    (year >= 1970).then(|| years + months + day - 1)
}

fn year_length(year: u64) -> u64 {
    if length(year, 2) == 29 { 366 } else { 365 }
}

fn length(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_and_read() {
        assert_eq!(since(START), "2024-05-01 10:00:00Z");
        assert_eq!(rfc3339(START + Duration::from_secs(86_400 * 366)), "2025-05-02T10:00:00Z");
        for text in
            ["2024-05-01T10:00:00Z", "2024-05-01T10:00:00", "2024-05-01T12:30:00+02:30", "2024-05-01T03:00:00.0-07:00"]
        {
            assert_eq!(parse_time(text), Some(START), "{text}");
        }
        assert_eq!(parse_time("2024-02-29T00:00:00Z").map(rfc3339).unwrap(), "2024-02-29T00:00:00Z");
        for text in [
            "",
            "24h",
            "2024-05-01",
            "2023-02-29T00:00:00Z",
            "2024-05-01T24:00:00Z",
            "2024-5-1T10:00:00Z",
            "1969-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_those_of_go() {
        let seconds = |text| parse_duration(text).map(|nanos| nanos as f64 / 1e9);
        for (text, expected) in
            [("24h", 86_400.0), ("1h30m", 5400.0), ("-1.5s", -1.5), ("0", 0.0), (".5m", 30.0), ("0s", 0.0)]
        {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "1", "1d", "h", "1h ", "--1h", "1.2.3s", "-"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        let later = |text, months| rfc3339(after_months(parse_time(text).unwrap(), months));
        assert_eq!(later("2024-01-31T10:00:00Z", 1), "2024-03-02T10:00:00Z");
        assert_eq!(later("2024-11-15T10:00:00Z", 3), "2025-02-15T10:00:00Z");
        assert_eq!(later("2024-05-01T10:00:00Z", 12), "2025-05-01T10:00:00Z");
    }
}
