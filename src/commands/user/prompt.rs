//! Passwords from the terminal, without showing them, or from standard input. Never from the command line:
//! arguments can be read by every process of the machine.

use argonaut_gateway::auth::password::PASSWORD_BYTES_MAX;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal, Read, Write};

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum PromptFault {
    #[error("standard input is no terminal; give the password there and say --password-stdin")]
    NoTerminal,
    #[error("the password on standard input must be one line of UTF-8 with at most {PASSWORD_BYTES_MAX} bytes")]
    NotOneLine,
    #[error("the two passwords differ")]
    Differ,
    #[error("given up")]
    GivenUp,
    #[error("standard input cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// The password, from standard input when `piped`, else typed twice at the terminal.
///
/// # Errors
/// [`PromptFault`]; no part of a password is in it.
pub fn read(piped: bool) -> Result<String, PromptFault> {
    if piped {
        return one_line(&mut io::stdin().lock());
    }
    if !io::stdin().is_terminal() {
        return Err(PromptFault::NoTerminal);
    }
    let typed = ask("Password: ")?;
    if ask("Again: ")? == typed { Ok(typed) } else { Err(PromptFault::Differ) }
}

/// All of `input`, which must be one line. Its end is not part of the password.
fn one_line(input: &mut dyn Read) -> Result<String, PromptFault> {
    let mut bytes = Vec::new();
    // Two bytes more for the end of the line, one to notice that it is too long.
    input.take(PASSWORD_BYTES_MAX as u64 + 3).read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).map_err(|_| PromptFault::NotOneLine)?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if line.len() > PASSWORD_BYTES_MAX || line.contains(['\n', '\r', '\0']) {
        return Err(PromptFault::NotOneLine);
    }
    Ok(line.to_owned())
}

fn ask(question: &str) -> Result<String, PromptFault> {
    let silent = Silent::begin()?;
    let mut console = io::stderr();
    write!(console, "{question}").and_then(|()| console.flush())?;
    let typed = typed_line(&mut io::stdin().lock());
    drop(silent);
    writeln!(console)?;
    typed
}

/// A line from a terminal that gives every key at once.
fn typed_line(keys: &mut dyn Read) -> Result<String, PromptFault> {
    const INTERRUPT: u8 = 0x03;
    const END: u8 = 0x04;
    const BACKSPACES: [u8; 2] = [0x08, 0x7f];
    const CLEAR: u8 = 0x15;
    let mut line: Vec<u8> = Vec::new();
    let mut key = [0];
    loop {
        if keys.read(&mut key)? == 0 {
            return Err(PromptFault::GivenUp);
        }
        match key[0] {
            b'\n' | b'\r' => break,
            INTERRUPT | END => return Err(PromptFault::GivenUp),
            CLEAR => line.clear(),
            erase if BACKSPACES.contains(&erase) => {
                // A character of several bytes goes as a whole.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte if line.len() <= PASSWORD_BYTES_MAX => line.push(byte),
            _ => {}
        }
    }
    String::from_utf8(line).map_err(|_| PromptFault::NotOneLine)
}

/// The terminal shows nothing and sends no signals until this is dropped.
struct Silent(Termios);

impl Silent {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        // No signals either: an interrupt must not leave the terminal mute. It is read as a key.
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        if let Err(fault) = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0) {
            eprintln!("argonaut: the terminal could not be set back ({fault}); `stty sane` does it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piped_password_is_one_line() {
        let longest = "x".repeat(PASSWORD_BYTES_MAX);
        let cases: [(Vec<u8>, Option<&str>); 10] = [
            (b"correct horse".to_vec(), Some("correct horse")),
            (b"correct horse\n".to_vec(), Some("correct horse")),
            (b"correct horse\r\n".to_vec(), Some("correct horse")),
            (b" spaces stay \n".to_vec(), Some(" spaces stay ")),
            (b"".to_vec(), Some("")),
            (format!("{longest}\r\n").into_bytes(), Some(&longest)),
            (format!("{longest}y\n").into_bytes(), None),
            (b"two\nlines\n".to_vec(), None),
            (b"nul\0".to_vec(), None),
            (vec![0xff, 0xfe, b'\n'], None),
        ];
        for (bytes, password) in cases {
            let read = one_line(&mut bytes.as_slice());
            assert_eq!(read.ok().as_deref(), password, "{bytes:?}");
        }
    }

    #[test]
    fn keys_edit_the_line() {
        let cases: [(&[u8], Option<&str>); 7] = [
            (b"secret\r", Some("secret")),
            (b"secretx\x7f\n", Some("secret")),
            ("süß\x7f\x7f\x7fok\n".as_bytes(), Some("ok")),
            (b"wrong\x15right\n", Some("right")),
            (b"\x7f\x7fa\n", Some("a")),
            (b"abc\x03", None),
            (b"abc", None),
        ];
        for (keys, password) in cases {
            assert_eq!(typed_line(&mut &*keys).ok().as_deref(), password, "{keys:?}");
        }
    }
}
