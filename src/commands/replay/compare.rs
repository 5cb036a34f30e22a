//! Outputs as lines of JSON, and the comparison of two builds by them.

use argonaut_engine::event::{Output, Stamped};
use argonaut_engine::ids::Seq;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The outputs of one input, in the engine's own words and units.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub seq: u64,
    /// Nanoseconds UTC.
    pub now: u64,
    pub outputs: Vec<String>,
}

impl Line {
    pub fn new(stamped: &Stamped, outputs: &[Output]) -> Self {
        let outputs = outputs.iter().map(|output| format!("{output:?}")).collect();
        Self { seq: stamped.seq.0, now: stamped.now.raw(), outputs }
    }
}

/// The last line of a replay's output.
#[derive(Deserialize)]
struct LastLine {
    summary: Summary,
}

/// The part of the summary that can be compared.
#[derive(Deserialize)]
struct Summary {
    last: u64,
    state_hash: String,
}

/// Where two builds part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// The input after which they differ.
    pub seq: u64,
    /// Which of its outputs, counted from 0; `None` when it is the state behind it.
    pub output: Option<usize>,
    /// `None`: nothing there.
    pub theirs: Option<String>,
    pub ours: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        match self.output {
            Some(index) => writeln!(f, "input {}, output {index}", self.seq)?,
            None => writeln!(f, "state behind input {}", self.seq)?,
        }
        write!(f, "  theirs: {}\n  ours:   {}", shown(&self.theirs), shown(&self.ours))
    }
}

/// Our lines against those of a file.
pub struct Comparison {
    theirs: Box<dyn BufRead + Send>,
    range: (Seq, Seq),
    next: Option<Line>,
    summary: Option<Summary>,
    lines_count: u64,
    first: Option<Difference>,
}

impl Comparison {
    /// # Errors
    /// When the file cannot be read or begins with something else.
    pub fn open(file: &Path, range: (Seq, Seq)) -> io::Result<Self> {
        Self::new(Box::new(BufReader::with_capacity(1 << 16, File::open(file)?)), range)
    }

    fn new(theirs: Box<dyn BufRead + Send>, range: (Seq, Seq)) -> io::Result<Self> {
        let mut comparison = Self { theirs, range, next: None, summary: None, lines_count: 0, first: None };
        comparison.advance()?;
        if comparison.next.is_none() && comparison.summary.is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "holds no line of this stretch by --outputs --json",
            ));
        }
        Ok(comparison)
    }

    #[must_use]
    pub fn lines_count(&self) -> u64 {
        self.lines_count
    }

    /// Compares the next line of ours; `false` at the first difference, behind which nothing is compared.
    ///
    /// # Errors
    /// When their file cannot be read or holds something else.
    pub fn take(&mut self, ours: &Line) -> io::Result<bool> {
        self.first = part(self.next.as_ref(), Some(ours));
        if self.first.is_some() {
            return Ok(false);
        }
        self.lines_count += 1;
        self.advance()?;
        Ok(true)
    }

    /// The first difference, when ours has ended at `last` with this state.
    #[must_use]
    pub fn difference(&self, last: Seq, state_hash: u64) -> Option<Difference> {
        if self.first.is_some() {
            return self.first.clone();
        }
        // What they have beyond our end is no difference: their journal may have been longer.
        let beyond = self.next.as_ref().filter(|line| line.seq <= last.0);
        let missing = part(beyond, None);
        if missing.is_some() {
            return missing;
        }
        let ours = format!("{state_hash:016x}");
        let theirs = self.summary.as_ref().filter(|theirs| theirs.last == last.0 && theirs.state_hash != ours)?;
        Some(Difference { seq: last.0, output: None, theirs: Some(theirs.state_hash.clone()), ours: Some(ours) })
    }

    /// Reads their next line of the stretch.
    fn advance(&mut self) -> io::Result<()> {
        let mut text = String::new();
        loop {
            self.next = None;
            text.clear();
            if self.theirs.read_line(&mut text)? == 0 {
                return Ok(());
            }
            if let Ok(last) = serde_json::from_str::<LastLine>(&text) {
                self.summary = Some(last.summary);
                continue;
            }
            let line: Line = serde_json::from_str(&text)?;
            if (self.range.0.0..=self.range.1.0).contains(&line.seq) {
                self.next = Some(line);
                return Ok(());
            }
        }
    }
}

/// Where two lines part; the earlier of them stands alone.
fn part(theirs: Option<&Line>, ours: Option<&Line>) -> Option<Difference> {
    let (theirs, ours) = match (theirs, ours) {
        (None, None) => return None,
        (Some(theirs), Some(ours)) if theirs.seq < ours.seq => (Some(theirs), None),
        (Some(theirs), Some(ours)) if theirs.seq > ours.seq => (None, Some(ours)),
        both => both,
    };
    let seq = theirs.or(ours)?.seq;
    if let (Some(theirs), Some(ours)) = (theirs, ours)
        && theirs.now != ours.now
    {
        let time = |line: &Line| Some(format!("the input is stamped {}", line.now));
        return Some(Difference { seq, output: None, theirs: time(theirs), ours: time(ours) });
    }
    let theirs = theirs.map_or(&[][..], |line| &line.outputs);
    let ours = ours.map_or(&[][..], |line| &line.outputs);
    let index = (0..theirs.len().max(ours.len())).find(|index| theirs.get(*index) != ours.get(*index))?;
    Some(Difference { seq, output: Some(index), theirs: theirs.get(index).cloned(), ours: ours.get(index).cloned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seq: u64, outputs: &[&str]) -> Line {
        Line { seq, now: seq * 10, outputs: outputs.iter().map(ToString::to_string).collect() }
    }

    /// Compares `theirs` (then a summary with this hash) with `ours`, which end at input 9 with hash 1.
    fn compare(theirs: &[Line], their_hash: u64, ours: &[Line]) -> Option<Difference> {
        let mut text: String = theirs.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        text += &format!("{{\"summary\":{{\"last\":9,\"state_hash\":\"{their_hash:016x}\",\"inputs\":9}}}}\n");
        let mut comparison = Comparison::new(Box::new(io::Cursor::new(text)), (Seq(2), Seq(u64::MAX))).unwrap();
        for ours in ours {
            if !comparison.take(ours).unwrap() {
                break;
            }
        }
        comparison.difference(Seq(9), 1)
    }

    #[test]
    fn the_first_difference_is_found() {
        let both = [line(2, &["a"]), line(5, &["b", "c"])];
        let at = |seq, output, theirs: Option<&str>, ours: Option<&str>| {
            Some(Difference { seq, output, theirs: theirs.map(str::to_owned), ours: ours.map(str::to_owned) })
        };
        let later = Line { now: 99, ..line(5, &["b", "c"]) };
        let hash = |hash: u64| format!("{hash:016x}");
        let cases = [
            ("the same", both.to_vec(), 1, None),
            ("before the stretch", vec![line(1, &["x"]), both[0].clone(), both[1].clone()], 1, None),
            ("beyond our end", vec![both[0].clone(), both[1].clone(), line(12, &["x"])], 1, None),
            ("another output", vec![both[0].clone(), line(5, &["b", "d"])], 1, at(5, Some(1), Some("d"), Some("c"))),
            ("one output less", vec![both[0].clone(), line(5, &["b"])], 1, at(5, Some(1), None, Some("c"))),
            ("one input less", vec![both[1].clone()], 1, at(2, Some(0), None, Some("a"))),
            (
                "one input more",
                vec![both[0].clone(), line(3, &["x"]), both[1].clone()],
                1,
                at(3, Some(0), Some("x"), None),
            ),
            (
                "more at the end",
                vec![both[0].clone(), both[1].clone(), line(7, &["x"])],
                1,
                at(7, Some(0), Some("x"), None),
            ),
            (
                "another time",
                vec![both[0].clone(), later],
                1,
                at(5, None, Some("the input is stamped 99"), Some("the input is stamped 50")),
            ),
            ("another state", both.to_vec(), 2, at(9, None, Some(&hash(2)), Some(&hash(1)))),
        ];
        for (what, theirs, their_hash, difference) in cases {
            assert_eq!(compare(&theirs, their_hash, &both), difference, "{what}");
        }
    }

    #[test]
    fn other_files_are_refused() {
        for text in ["", "{\"seq\":1}\n", "text\n"] {
            let opened = Comparison::new(Box::new(io::Cursor::new(text)), (Seq(1), Seq(9)));
            assert!(opened.is_err(), "{text:?}");
        }
    }
}
