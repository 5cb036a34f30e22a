//! A second handle of a connection, to end it when its client does not read even the goodbye.

use actix_web::rt::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::Arc;

/// Shuts a connection down from outside the server's own loop.
#[derive(Clone, Debug)]
pub struct Socket(Arc<Option<std::net::TcpStream>>);

impl Socket {
    /// A second handle. Without one (no free descriptor) the client's own silence ends the connection.
    #[must_use]
    pub fn of(stream: &TcpStream) -> Self {
        Self(Arc::new(stream.as_fd().try_clone_to_owned().ok().map(std::net::TcpStream::from)))
    }

    /// Ends the connection in both directions.
    pub fn shut(&self) {
        if let Some(stream) = self.0.as_ref() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}
