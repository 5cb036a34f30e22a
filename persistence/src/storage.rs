//! What the journal and the snapshots need of a disk, small enough that a test can cut the power.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file of fixed length in memory.
///
/// # Safety
/// `base` answers the same address for as long as the value lives; it is aligned to 8 bytes and good for
/// `len` bytes of reading, and of writing unless the segment was opened with [`Access::Read`].
pub unsafe trait Segment: Send + Sync {
    fn base(&self) -> *mut u8;
    fn len(&self) -> usize;
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The bytes of the range are on the disk when this returns.
    ///
    /// # Errors
    /// When the disk refuses; whether the bytes are there is then not known.
    fn sync(&self, range: Range<usize>) -> io::Result<()>;
    /// Makes the range ready for writing, so that the writer meets no page fault. Leaves the bytes alone.
    ///
    /// # Errors
    /// When the disk has no room for the range.
    fn touch(&self, range: Range<usize>) -> io::Result<()>;
    /// The range will not be looked at again soon: its memory may go. The bytes stay.
    fn release(&self, _range: Range<usize>) {}
}

/// How a segment is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Read,
    /// The file is brought back to this length first, should it be shorter.
    Write {
        len: usize,
    },
}

/// A name in the folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub name: String,
    pub len: u64,
}

/// Held while one process may write; given back when dropped.
pub trait Lock: Send + Sync {}

/// One folder of one disk. Names are plain file names.
pub trait Storage: Send + Sync {
    /// A new file of `len` zero bytes whose room on the disk is taken.
    ///
    /// # Errors
    /// When the name exists or the disk is full.
    fn create_segment(&self, name: &str, len: usize) -> io::Result<Arc<dyn Segment>>;
    /// # Errors
    /// `NotFound` when there is no such file.
    fn open_segment(&self, name: &str, access: Access) -> io::Result<Arc<dyn Segment>>;
    /// # Errors
    /// When the folder cannot be read.
    fn list(&self) -> io::Result<Vec<Entry>>;
    /// # Errors
    /// `NotFound` when there is no such file.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// Creates the file or replaces what is in it; not durable before `sync_file`.
    ///
    /// # Errors
    /// When the disk refuses.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// # Errors
    /// When the disk refuses.
    fn sync_file(&self, name: &str) -> io::Result<()>;
    /// Durable after `sync_dir`.
    ///
    /// # Errors
    /// When the disk refuses.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// # Errors
    /// When the disk refuses.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// # Errors
    /// When the disk refuses.
    fn sync_dir(&self) -> io::Result<()>;
    /// # Errors
    /// `WouldBlock` when another process holds the lock.
    fn lock(&self) -> io::Result<Box<dyn Lock>>;
    /// Changes whenever the machine starts, so that a crash of the process and a power cut can be told
    /// apart. Empty when the system does not say.
    fn boot_id(&self) -> String;
}

/// Replaces a small file as a whole: after a power cut it is the old one or the new one.
///
/// # Errors
/// When the disk refuses.
pub fn replace(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = format!("{name}{DRAFT}");
    storage.write(&draft, bytes)?;
    storage.sync_file(&draft)?;
    storage.rename(&draft, name)?;
    storage.sync_dir()
}

/// Ending of files that [`replace`] has not finished; whoever owns the folder removes them at start.
pub const DRAFT: &str = ".draft";

const LOCK_FILE: &str = "lock";

/// A real folder. Segments are memory maps of preallocated files.
#[derive(Clone, Debug)]
pub struct FsStorage {
    dir: PathBuf,
}

impl FsStorage {
    /// # Errors
    /// When the folder is not there and cannot be made.
    pub fn create(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_path_buf() })
    }

    /// # Errors
    /// `NotFound` when there is no such folder.
    pub fn open(dir: &Path) -> io::Result<Self> {
        if dir.is_dir() {
            return Ok(Self { dir: dir.to_path_buf() });
        }
        Err(io::Error::new(io::ErrorKind::NotFound, format!("no such folder: {}", dir.display())))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

impl Storage for FsStorage {
    fn create_segment(&self, name: &str, len: usize) -> io::Result<Arc<dyn Segment>> {
        let path = self.path(name);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        let mapped = preallocate(&file, len).and_then(|()| memmap2::MmapOptions::new().len(len).map_raw(&file));
        match mapped {
            Ok(map) => Ok(Arc::new(MappedSegment { map })),
            Err(error) => {
                // A half-made file would only take the room that is missing.
                let _ = std::fs::remove_file(&path);
                Err(error)
            }
        }
    }

    fn open_segment(&self, name: &str, access: Access) -> io::Result<Arc<dyn Segment>> {
        let map = match access {
            Access::Read => {
                let file = File::open(self.path(name))?;
                memmap2::MmapOptions::new().map_raw_read_only(&file)?
            }
            Access::Write { len } => {
                let file = OpenOptions::new().read(true).write(true).open(self.path(name))?;
                if file.metadata()?.len() < len as u64 {
                    preallocate(&file, len)?;
                }
                memmap2::MmapOptions::new().map_raw(&file)?
            }
        };
        Ok(Arc::new(MappedSegment { map }))
    }

    fn list(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            // A file may go between the listing and the look at it.
            let Ok(meta) = entry.metadata() else { continue };
            if let (true, Ok(name)) = (meta.is_file(), entry.file_name().into_string()) {
                entries.push(Entry { name, len: meta.len() });
            }
        }
        Ok(entries)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.path(name))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        File::create(self.path(name))?.write_all(bytes)
    }

    fn sync_file(&self, name: &str) -> io::Result<()> {
        File::open(self.path(name))?.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }

    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(self.path(LOCK_FILE))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(FileLock { _file: file })),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn boot_id(&self) -> String {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
    }
}

/// The lock goes with the file handle, also when the process is killed.
struct FileLock {
    _file: File,
}
impl Lock for FileLock {}

/// Takes the room on the disk now, so that a full disk is an error here and not a signal later.
fn preallocate(file: &File, len: usize) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    match fallocate(file, FallocateFlags::empty(), 0, len as u64) {
        Ok(()) => Ok(()),
        // A file system that cannot promise room gets its zeros written.
        Err(rustix::io::Errno::OPNOTSUPP) => write_zeros(file, len),
        Err(error) => Err(error.into()),
    }
}

fn write_zeros(file: &File, len: usize) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let start = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let zeros = vec![0_u8; 1 << 20];
    let mut at = start.min(len);
    while at < len {
        let step = zeros.len().min(len - at);
        file.write_all_at(&zeros[..step], at as u64)?;
        at += step;
    }
    Ok(())
}

struct MappedSegment {
    map: memmap2::MmapRaw,
}

// SAFETY: a map is page-aligned and stays where it is until dropped; `map_raw` is readable and writable,
// `map_raw_read_only` is used for `Access::Read` alone. Files of a journal are never shortened.
unsafe impl Segment for MappedSegment {
    fn base(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }
    fn len(&self) -> usize {
        self.map.len()
    }
    fn sync(&self, range: Range<usize>) -> io::Result<()> {
        self.map.flush_range(range.start, range.len())
    }
    fn touch(&self, range: Range<usize>) -> io::Result<()> {
        touch(&self.map, range)
    }
    fn release(&self, range: Range<usize>) {
        release(&self.map, range);
    }
}

/// A multiple of any page size there is.
const PAGES: usize = 64 << 10;

/// Keeps the process small however much is written: the pages stay with the system, which counts them as
/// its own.
#[cfg(target_os = "linux")]
fn release(map: &memmap2::MmapRaw, range: Range<usize>) {
    let (start, end) = (range.start.next_multiple_of(PAGES), range.end / PAGES * PAGES);
    if start < end {
        // SAFETY: for a shared map of a file this drops page table entries alone; the next access finds
        // the same bytes in the page cache. Failing costs memory and nothing else.
        let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, start, end - start) };
    }
}

#[cfg(not(target_os = "linux"))]
fn release(_map: &memmap2::MmapRaw, _range: Range<usize>) {
    let _ = PAGES;
}

#[cfg(target_os = "linux")]
fn touch(map: &memmap2::MmapRaw, range: Range<usize>) -> io::Result<()> {
    match map.advise_range(memmap2::Advice::PopulateWrite, range.start, range.len()) {
        // An older kernel: the writer will meet page faults, which costs time and nothing else.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        done => done,
    }
}

#[cfg(not(target_os = "linux"))]
fn touch(_map: &memmap2::MmapRaw, _range: Range<usize>) -> io::Result<()> {
    Ok(())
}
