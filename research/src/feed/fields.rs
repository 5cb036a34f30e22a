//! Columns of one row.

use super::fault::Reason;

/// Columns that a row may have.
pub(crate) const COLUMNS_MAX: usize = 64;

/// Where the columns of a row begin and end. Reused from row to row.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    ends: [(u32, u32); COLUMNS_MAX],
    count: usize,
}

impl Fields {
    pub const fn new() -> Self {
        Self { ends: [(0, 0); COLUMNS_MAX], count: 0 }
    }

    pub const fn count(&self) -> usize {
        self.count
    }

    /// The column's bytes, without quotation marks; empty when there is no such column.
    #[inline]
    pub fn get<'a>(&self, row: &'a [u8], column: usize) -> &'a [u8] {
        if column >= self.count {
            return &[];
        }
        let (start, end) = self.ends[column];
        &row[start as usize..end as usize]
    }

    /// Splits `row`. A column may stand in quotation marks, which then hold no further quotation mark.
    #[inline]
    pub fn split(&mut self, row: &[u8], delimiter: u8) -> Result<(), Reason> {
        let (mut count, mut start) = (0, 0);
        let mut base = 0;
        while base < row.len() {
            let word = match row.get(base..base + 8).and_then(|eight| eight.try_into().ok()) {
                Some(eight) => u64::from_le_bytes(eight),
                None => last_word(&row[base..]),
            };
            if bytes_equal(word, b'"') != 0 {
                return self.split_quoted(row, delimiter);
            }
            let mut found = bytes_equal(word, delimiter);
            while found != 0 {
                if count >= COLUMNS_MAX - 1 {
                    return Err(Reason::ColumnCount { expected: COLUMNS_MAX as u32, found: COLUMNS_MAX as u32 + 1 });
                }
                let end = base as u32 + found.trailing_zeros() / 8;
                self.ends[count] = (start, end);
                count += 1;
                start = end + 1;
                found &= found - 1;
            }
            base += 8;
        }
        self.ends[count] = (start, row.len() as u32);
        self.count = count + 1;
        Ok(())
    }

    #[cold]
    fn split_quoted(&mut self, row: &[u8], delimiter: u8) -> Result<(), Reason> {
        let (mut count, mut at) = (0, 0);
        loop {
            if count >= COLUMNS_MAX {
                return Err(Reason::ColumnCount { expected: COLUMNS_MAX as u32, found: COLUMNS_MAX as u32 + 1 });
            }
            let quoted = row.get(at) == Some(&b'"');
            let start = at + usize::from(quoted);
            let end_mark = if quoted { b'"' } else { delimiter };
            let length = memchr::memchr(end_mark, &row[start..]);
            let end = match length {
                Some(length) => start + length,
                None if quoted => return Err(Reason::UnclosedQuote),
                None => row.len(),
            };
            if !quoted && row[start..end].contains(&b'"') {
                return Err(Reason::UnclosedQuote);
            }
            self.ends[count] = (start as u32, end as u32);
            count += 1;
            at = end + usize::from(quoted);
            match row.get(at) {
                None => break,
                Some(byte) if *byte == delimiter => at += 1,
                Some(_) => return Err(Reason::UnclosedQuote),
            }
        }
        self.count = count;
        Ok(())
    }
}

/// The last bytes of a row, less than eight, filled with zeros, which are no delimiter.
#[inline]
fn last_word(rest: &[u8]) -> u64 {
    rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The top bit of each byte of `word` that is `byte`: eight bytes looked at together.
#[inline]
const fn bytes_equal(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let differing = word ^ (byte as u64 * 0x0101_0101_0101_0101);
    !(((differing & LOW) + LOW) | differing | LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(row: &str) -> Result<Vec<String>, Reason> {
        let mut fields = Fields::new();
        fields.split(row.as_bytes(), b',')?;
        Ok((0..fields.count()).map(|c| String::from_utf8_lossy(fields.get(row.as_bytes(), c)).into()).collect())
    }

    #[test]
    fn rows_are_split_at_delimiters_outside_of_quotation_marks() {
        let cases: &[(&str, Result<&[&str], Reason>)] = &[
            ("a,b", Ok(&["a", "b"])),
            ("", Ok(&[""])),
            (",", Ok(&["", ""])),
            ("\"a,b\",c", Ok(&["a,b", "c"])),
            ("\"\",\"x\"", Ok(&["", "x"])),
            ("a,\"b", Err(Reason::UnclosedQuote)),
            ("a\"b\",c", Err(Reason::UnclosedQuote)),
            ("\"a\"b,c", Err(Reason::UnclosedQuote)),
        ];
        for (row, expected) in cases {
            let expected = expected.map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(split(row), expected, "{row}");
        }
        assert!(matches!(split(&",".repeat(64)), Err(Reason::ColumnCount { .. })));
        assert_eq!(split(&",".repeat(63)).map(|list| list.len()), Ok(64));
        assert!(matches!(split(&"\"\",".repeat(64)), Err(Reason::ColumnCount { .. })));
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_plain_split(row in "[a-z,.0-9\u{1}\u{80}é-]{0,80}") {
            let plain: Vec<String> = row.split(',').map(Into::into).collect();
            proptest::prop_assume!(plain.len() <= COLUMNS_MAX);
            let mut fields = Fields::new();
            proptest::prop_assert_eq!(fields.split(row.as_bytes(), b','), Ok(()));
            let got: Vec<&[u8]> = (0..fields.count()).map(|column| fields.get(row.as_bytes(), column)).collect();
            proptest::prop_assert_eq!(got, plain.iter().map(String::as_bytes).collect::<Vec<_>>());
        }
    }
}
