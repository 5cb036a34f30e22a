//! Lines of a file, of a gzip file or of an entry of a zip archive, through one fixed buffer.

use super::fault::{FeedFault, shown};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes read from the disk at a time.
const BUFFER: usize = 256 * 1024;
/// Longest line that is accepted.
pub(crate) const LINE_MAX: usize = 16 * 1024;

/// One input of a source: a file, or an entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    pub path: PathBuf,
    pub entry: Option<String>,
}

impl Input {
    pub fn file(path: PathBuf) -> Self {
        Self { path, entry: None }
    }
    /// As faults show it: `file` or `file!entry`.
    pub fn shown(&self) -> Arc<str> {
        match &self.entry {
            None => shown(&self.path),
            Some(entry) => format!("{}!{entry}", self.path.display()).into(),
        }
    }
    pub fn open(&self) -> Result<Box<dyn Read + Send>, FeedFault> {
        let opened = match &self.entry {
            None => open_plain(&self.path),
            Some(entry) => open_entry(&self.path, entry),
        };
        opened.map_err(|error| FeedFault::io(&self.shown(), &error))
    }
}

fn open_plain(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    Ok(if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    })
}

/// Names of the files in an archive, in its order.
pub(crate) fn entries(path: &Path) -> Result<Vec<String>, FeedFault> {
    let read = || -> io::Result<Vec<String>> {
        let archive = zip::ZipArchive::new(io::BufReader::new(File::open(path)?))?;
        let mut names = Vec::new();
        for name in archive.file_names() {
            let name = name?;
            if !name.ends_with('/') {
                names.push(name.into_owned());
            }
        }
        Ok(names)
    };
    read().map_err(|error| FeedFault::io(&shown(path), &error))
}

/// A streaming reader of one entry, which the zip crate itself ties to a borrow of its archive. The entry's
/// CRC is checked at its end.
fn open_entry(path: &Path, name: &str) -> io::Result<Box<dyn Read + Send>> {
    let mut archive = zip::ZipArchive::new(io::BufReader::new(File::open(path)?))?;
    let entry = archive.by_name(name)?;
    let (method, start, packed, size, crc) =
        (entry.compression(), entry.data_start(), entry.compressed_size(), entry.size(), entry.crc32());
    let start = start.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the entry has no data"))?;
    drop(entry);
    drop(archive);
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let packed = io::BufReader::new(file.take(packed));
    match method {
        zip::CompressionMethod::Stored => Ok(Box::new(Checked::new(packed, size, crc))),
        zip::CompressionMethod::Deflated => {
            Ok(Box::new(Checked::new(flate2::bufread::DeflateDecoder::new(packed), size, crc)))
        }
        other => Err(io::Error::new(io::ErrorKind::Unsupported, format!("compression method {other:?}"))),
    }
}

/// Compares size and CRC-32 with what the archive's directory says.
struct Checked<R> {
    inner: R,
    left: u64,
    expected: u32,
    crc: flate2::Crc,
}

impl<R: Read> Checked<R> {
    fn new(inner: R, size: u64, expected: u32) -> Self {
        Self { inner, left: size, expected, crc: flate2::Crc::new() }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.crc.update(&buffer[..count]);
        let sound = match self.left.checked_sub(count as u64) {
            Some(left) => {
                self.left = left;
                count > 0 || buffer.is_empty() || (left == 0 && self.crc.sum() == self.expected)
            }
            None => false,
        };
        if sound {
            Ok(count)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "size or CRC of the zip entry is wrong"))
        }
    }
}

/// A line: its place in the buffer of [`Lines`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    start: usize,
    end: usize,
    /// The line was longer than [`LINE_MAX`] and is cut.
    pub too_long: bool,
}

/// Splits an input at line ends (`\n` or `\r\n`). Memory is one buffer, whatever the file.
pub(crate) struct Lines {
    input: Box<dyn Read + Send>,
    file: Arc<str>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    number: u64,
}

impl Lines {
    pub fn open(input: &Input) -> Result<Self, FeedFault> {
        Ok(Self::new(input.open()?, input.shown()))
    }

    pub fn new(input: Box<dyn Read + Send>, file: Arc<str>) -> Self {
        Self { input, file, buffer: vec![0; BUFFER], start: 0, end: 0, at_end: false, number: 0 }
    }

    /// Number of the line handed out last; the first is 1.
    pub const fn number(&self) -> u64 {
        self.number
    }
    pub const fn file(&self) -> &Arc<str> {
        &self.file
    }
    /// The line's bytes without its end. Valid until the next call of [`Lines::next`].
    #[inline]
    pub fn bytes(&self, line: Line) -> &[u8] {
        &self.buffer[line.start..line.end]
    }

    #[inline]
    pub fn next(&mut self) -> Result<Option<Line>, FeedFault> {
        if let Some(length) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
            return Ok(Some(self.take(length, 1)));
        }
        self.next_refilled()
    }

    #[cold]
    fn next_refilled(&mut self) -> Result<Option<Line>, FeedFault> {
        let mut searched = self.end - self.start;
        loop {
            if self.end - self.start >= BUFFER / 2 {
                return self.skip_long().map(Some);
            }
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            self.refill()?;
            if let Some(length) = memchr::memchr(b'\n', &self.buffer[searched..self.end]) {
                return Ok(Some(self.take(searched + length, 1)));
            }
            searched = self.end;
            if self.at_end {
                return Ok((self.end > 0).then(|| self.take(searched, 0)));
            }
        }
    }

    fn refill(&mut self) -> Result<(), FeedFault> {
        while self.end < BUFFER && !self.at_end {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.at_end = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FeedFault::io(&self.file, &error)),
            }
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, length: usize, newline: usize) -> Line {
        let (start, mut end) = (self.start, self.start + length);
        self.start = end + newline;
        self.number += 1;
        if end > start && self.buffer[end - 1] == b'\r' {
            end -= 1;
        }
        let too_long = end - start > LINE_MAX;
        Line { start, end: end.min(start + LINE_MAX), too_long }
    }

    /// Hands out the beginning of a line that fills half the buffer and drops the rest of it.
    fn skip_long(&mut self) -> Result<Line, FeedFault> {
        self.buffer.copy_within(self.start..self.start + LINE_MAX, 0);
        loop {
            self.start = LINE_MAX;
            self.end = LINE_MAX;
            self.refill()?;
            if let Some(length) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
                self.start += length + 1;
                break;
            }
            if self.at_end {
                self.start = self.end;
                break;
            }
        }
        self.number += 1;
        Ok(Line { start: 0, end: LINE_MAX, too_long: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(u64, usize, bool)> {
        let mut lines = Lines::new(Box::new(io::Cursor::new(text.to_vec())), "x".into());
        let mut out = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            out.push((lines.number(), lines.bytes(line).len(), line.too_long));
        }
        assert!(lines.next().unwrap().is_none());
        out
    }

    #[test]
    fn lines_end_at_newlines_and_long_ones_are_cut() {
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"a"), [(1, 1, false)]);
        assert_eq!(lines(b"a\r\n\nbc\n"), [(1, 1, false), (2, 0, false), (3, 2, false)]);
        let mut long = vec![b'x'; LINE_MAX + 1];
        long.extend_from_slice(b"\nshort");
        assert_eq!(lines(&long), [(1, LINE_MAX, true), (2, 5, false)]);
        let mut huge = vec![b'x'; 3 * BUFFER];
        huge.extend_from_slice(b"\nshort\n");
        assert_eq!(lines(&huge), [(1, LINE_MAX, true), (2, 5, false)]);
        assert_eq!(lines(&vec![b'x'; 3 * BUFFER]), [(1, LINE_MAX, true)]);
        let many = b"0123456789\n".repeat(100_000);
        assert_eq!(lines(&many).len(), 100_000);
    }
}
