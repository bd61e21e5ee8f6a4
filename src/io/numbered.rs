//! Pictures whose file names count: `frame_0001.png`, `frame_0002.png`, …

use std::path::{Path, PathBuf};

use super::animation::MAX_FRAMES;

/// File names with a number in them, written as `frame_%04d.png` or `frame_####.png`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    folder: PathBuf,
    before: String,
    /// Digits that are filled up with zeros; numbers may have more.
    digits: usize,
    after: String,
}

/// Why numbered pictures are not there.
#[derive(Debug, thiserror::Error)]
pub enum NumberedError {
    #[error("no picture is called like '{}'", .0.display())]
    None(PathBuf),
    #[error("more than {MAX_FRAMES} pictures are called like '{}'", .0.display())]
    TooMany(PathBuf),
    #[error("the folder '{}' cannot be read: {cause}", folder.display())]
    Folder {
        #[source]
        cause: std::io::Error,
        folder: PathBuf,
    },
}

impl Numbered {
    /// The pattern in a path; `None` where it is a plain one, or a file has that very name.
    pub fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (before, digits, after) = percent(name).or_else(|| hashes(name))?;
        let parts = (before.to_owned(), after.to_owned());
        if path.is_file() {
            return None;
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.into(),
            _ => PathBuf::from("."),
        };
        Some(Self { folder, before: parts.0, digits, after: parts.1 })
    }

    /// The file with a number.
    pub fn file(&self, number: u64) -> PathBuf {
        let Self { folder, before, digits, after } = self;
        folder.join(format!("{before}{number:0digits$}{after}"))
    }

    /// The pattern as a path.
    pub fn path(&self) -> PathBuf {
        let Self { folder, before, digits, after } = self;
        folder.join(format!("{before}{}{after}", "#".repeat((*digits).max(1))))
    }

    /// Numbers of the files that are there, ascending.
    ///
    /// # Errors
    /// Where there are none or too many, or the folder cannot be read.
    pub fn existing(&self) -> Result<Vec<u64>, NumberedError> {
        let fault = |cause| NumberedError::Folder { cause, folder: self.folder.clone() };
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(fault)? {
            let name = entry.map_err(fault)?.file_name();
            numbers.extend(name.to_str().and_then(|name| self.number(name)));
            if numbers.len() > MAX_FRAMES as usize {
                return Err(NumberedError::TooMany(self.path()));
            }
        }
        numbers.sort_unstable();
        if numbers.is_empty() { Err(NumberedError::None(self.path())) } else { Ok(numbers) }
    }

    /// The number in a file name that is exactly as [`Numbered::file`] writes it.
    fn number(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(&self.before)?.strip_suffix(&self.after)?;
        let number: u64 =
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
        let width = self.digits;
        (format!("{number:0width$}") == digits).then_some(number)
    }
}

/// What is before and after `%04d`, `%4d` or `%d`, and its digits.
fn percent(name: &str) -> Option<(&str, usize, &str)> {
    let (before, rest) = name.split_once('%')?;
    let (digits, after) = rest.split_once('d')?;
    let digits = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    (digits <= 18).then_some((before, digits, after))
}

/// What is before and after a row of `#`, and how many there are.
fn hashes(name: &str) -> Option<(&str, usize, &str)> {
    let start = name.find('#')?;
    let len = name[start..].bytes().take_while(|byte| *byte == b'#').count();
    (len <= 18).then(|| (&name[..start], len, &name[start + len..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> Option<Numbered> {
        Numbered::parse(Path::new(path))
    }

    #[test]
    fn patterns_are_found_and_filled() {
        for (path, file) in [
            ("a/frame_%04d.png", "a/frame_0007.png"),
            ("a/frame_####.png", "a/frame_0007.png"),
            ("a/%d.jpg", "a/7.jpg"),
            ("a/x#", "a/x7"),
        ] {
            assert_eq!(parse(path).unwrap().file(7), PathBuf::from(file));
        }
        assert_eq!(parse("%02d.png").unwrap().file(123), PathBuf::from("./123.png"));
        for path in ["frame.png", "100%.png", "%xd.png", "%-3d.png", "%99d.png", "a#/b.png", ""] {
            assert_eq!(parse(path), None, "{path}");
        }
    }

    #[test]
    fn numbers_are_read_back_as_they_are_written() {
        let pattern = parse("frame_%03d.png").unwrap();
        for number in [0, 7, 99, 100, 12_345] {
            let file = pattern.file(number);
            assert_eq!(pattern.number(file.file_name().unwrap().to_str().unwrap()), Some(number));
        }
        for name in
            ["frame_07.png", "frame_0100.png", "frame_.png", "frame_+10.png", "frame_1x1.png"]
        {
            assert_eq!(pattern.number(name), None, "{name}");
        }
    }
}
