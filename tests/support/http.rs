//! HTTP/1.1 over a fresh connection for each request: nothing hides what the server really says.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

#[derive(Clone)]
pub struct Client {
    pub addr: SocketAddr,
    pub token: Option<String>,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text()))
    }
}

impl Client {
    pub fn new(addr: SocketAddr) -> Self {
        Self { addr, token: None }
    }
    pub fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], None).expect("an answer")
    }
    pub fn post(&self, path: &str, body: &str) -> Response {
        self.send("POST", path, &[], Some(body)).expect("an answer")
    }
    pub fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, &[], None).expect("an answer")
    }
    pub fn try_get(&self, path: &str) -> Result<Response, Error> {
        self.send("GET", path, &[], None)
    }
    /// JSON of an answer that must be 200.
    pub fn json(&self, path: &str) -> serde_json::Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Every row of a paged list, newest first.
    pub fn all(&self, path: &str, list: &str) -> Vec<serde_json::Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.json(&format!("{path}?limit=500{cursor}"));
            rows.extend(page[list].as_array().expect("a list").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    /// # Errors
    /// When the connection fails before the whole answer is there: the process was killed.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Response, Error> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.addr);
        if let Some(token) = &self.token {
            head += &format!("authorization: Bearer {token}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = body {
            head += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        }
        head += "\r\n";
        let mut stream = TcpStream::connect(self.addr)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(head.as_bytes())?;
        // The server may answer and close before it has read a body that it refuses.
        let _refused_early = stream.write_all(body.unwrap_or_default().as_bytes());
        let mut bytes = Vec::new();
        let mut chunk = [0; 16 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut chunk) {
            bytes.extend_from_slice(&chunk[..count]);
        }
        parse(&bytes).ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "the answer is not whole"))
    }
}

fn parse(bytes: &[u8]) -> Option<Response> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let raw = &bytes[end + 4..];
    let value = |name: &str| headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let body = match (value("transfer-encoding"), value("content-length")) {
        (Some("chunked"), _) => dechunk(raw)?,
        (_, Some(len)) => raw.get(..len.parse().ok()?)?.to_vec(),
        (_, None) => raw.to_vec(),
    };
    Some(Response { status, headers, body })
}

fn dechunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|w| w == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(end + 2..end + 2 + size)?);
        bytes = bytes.get(end + 4 + size..)?;
    }
}
