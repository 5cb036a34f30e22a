//! A disk whose power can be cut: it keeps what programs see apart from what is durable, and hands back
//! one of the images that a cut could leave.

use argonaut_persistence::storage::{Access, Entry, Lock, Segment, Storage};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

const SECTOR: usize = 512;

/// A small generator, so that a seed says everything.
#[derive(Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_4E5B)
    }
    pub fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// What programs see of a file.
struct Memory {
    words: Box<[AtomicU64]>,
    len: usize,
}

impl Memory {
    fn new(bytes: &[u8]) -> Self {
        let words = bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            AtomicU64::new(u64::from_le_bytes(word))
        });
        Self { words: words.collect(), len: bytes.len() }
    }
    fn copy(&self, range: Range<usize>) -> Vec<u8> {
        let words = &self.words[range.start / 8..range.end.div_ceil(8)];
        let mut bytes = Vec::with_capacity(words.len() * 8);
        for word in words {
            bytes.extend_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
        let skip = range.start % 8;
        bytes.drain(..skip);
        bytes.truncate(range.len());
        bytes
    }
}

#[derive(Clone)]
struct File {
    live: Arc<Memory>,
    durable: Arc<Mutex<Vec<u8>>>,
}

type Dir = BTreeMap<String, File>;

struct State {
    live: Dir,
    /// States of the folder since its last sync, the durable one first. A cut leaves one of them.
    dirs: Vec<Dir>,
    rng: Rng,
    /// So many more syncs until the power goes.
    syncs_left: Option<u64>,
    off: bool,
}

#[derive(Clone)]
pub struct CrashDisk {
    state: Arc<Mutex<State>>,
    boot: u64,
    locked: Arc<AtomicBool>,
}

fn off() -> io::Error {
    io::Error::other("the power is off")
}

impl CrashDisk {
    pub fn new(seed: u64) -> Self {
        let rng = Rng::new(seed);
        let state = State { live: Dir::new(), dirs: vec![Dir::new()], rng, syncs_left: None, off: false };
        Self { state: Arc::new(Mutex::new(state)), boot: 1, locked: Arc::default() }
    }

    /// The power goes in the middle of the sync after so many others.
    pub fn cut_after(&self, syncs: u64) {
        self.state().syncs_left = Some(syncs);
    }

    pub fn is_off(&self) -> bool {
        self.state().off
    }

    /// The process is gone, the machine is not.
    pub fn after_process_crash(&self) -> Self {
        self.state().syncs_left = None;
        Self { state: Arc::clone(&self.state), boot: self.boot, locked: Arc::default() }
    }

    /// One of the disks that a power cut now could leave.
    pub fn after_power_cut(&self) -> Self {
        let mut state = self.state();
        let mut rng = state.rng.clone();
        let dir = state.dirs[rng.below(state.dirs.len() as u64) as usize].clone();
        // Few, half or nearly all of the sectors in flight arrive.
        let arrive_of_8 = [0, 1, 4, 7, 8][rng.below(5) as usize];
        let left: Dir = dir
            .iter()
            .map(|(name, file)| {
                let bytes = tear(file, arrive_of_8, &mut rng);
                (name.clone(), File { live: Arc::new(Memory::new(&bytes)), durable: Arc::new(Mutex::new(bytes)) })
            })
            .collect();
        state.rng = rng.clone();
        let next = State { live: left.clone(), dirs: vec![left], rng, syncs_left: None, off: false };
        Self { state: Arc::new(Mutex::new(next)), boot: self.boot + 1, locked: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic inside")
    }

    fn change_dir(&self, change: impl FnOnce(&mut Dir) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state();
        if state.off {
            return Err(off());
        }
        change(&mut state.live)?;
        let changed = state.live.clone();
        state.dirs.push(changed);
        Ok(())
    }

    fn file(&self, name: &str) -> io::Result<File> {
        let state = self.state();
        if state.off {
            return Err(off());
        }
        state.live.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Durable bytes with some of the sectors that were on their way.
fn tear(file: &File, arrive_of_8: u64, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = file.durable.lock().expect("no panic inside").clone();
    let live = file.live.copy(0..file.live.len);
    if bytes.len() != live.len() {
        // A small file that was never synced: any beginning of it.
        bytes = live[..rng.below(live.len() as u64 + 1) as usize].to_vec();
    }
    for start in (0..bytes.len()).step_by(SECTOR) {
        let sector = start..(start + SECTOR).min(bytes.len());
        if bytes[sector.clone()] != live[sector.clone()] && rng.below(8) < arrive_of_8 {
            bytes[sector.clone()].copy_from_slice(&live[sector]);
        }
    }
    bytes
}

struct CrashSegment {
    file: File,
    state: Arc<Mutex<State>>,
}

// SAFETY: the words are allocated once, aligned to eight bytes, and live as long as the file.
unsafe impl Segment for CrashSegment {
    fn base(&self) -> *mut u8 {
        self.file.live.words.as_ptr().cast::<u8>().cast_mut()
    }
    fn len(&self) -> usize {
        self.file.live.len
    }
    fn sync(&self, range: Range<usize>) -> io::Result<()> {
        let range = range.start / SECTOR * SECTOR..range.end.next_multiple_of(SECTOR).min(self.len());
        sync_bytes(&self.state, &self.file, range)
    }
    fn touch(&self, _range: Range<usize>) -> io::Result<()> {
        if self.state.lock().expect("no panic inside").off { Err(off()) } else { Ok(()) }
    }
}

fn sync_bytes(state: &Mutex<State>, file: &File, range: Range<usize>) -> io::Result<()> {
    let mut state = state.lock().expect("no panic inside");
    if state.off {
        return Err(off());
    }
    let mut durable = file.durable.lock().expect("no panic inside");
    durable.resize(file.live.len, 0);
    let cut = match &mut state.syncs_left {
        Some(0) => true,
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    };
    for start in range.clone().step_by(SECTOR) {
        let sector = start..(start + SECTOR).min(range.end);
        if !cut || state.rng.one_in(2) {
            durable[sector.clone()].copy_from_slice(&file.live.copy(sector));
        }
    }
    state.off = cut;
    if cut { Err(off()) } else { Ok(()) }
}

struct CrashLock(Arc<AtomicBool>);
impl Lock for CrashLock {}
impl Drop for CrashLock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Storage for CrashDisk {
    fn create_segment(&self, name: &str, len: usize) -> io::Result<Arc<dyn Segment>> {
        let bytes = vec![0; len];
        let file = File { live: Arc::new(Memory::new(&bytes)), durable: Arc::new(Mutex::new(bytes)) };
        self.change_dir(|dir| match dir.insert(name.to_owned(), file.clone()) {
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
            None => Ok(()),
        })?;
        Ok(Arc::new(CrashSegment { file, state: Arc::clone(&self.state) }))
    }
    fn open_segment(&self, name: &str, _access: Access) -> io::Result<Arc<dyn Segment>> {
        Ok(Arc::new(CrashSegment { file: self.file(name)?, state: Arc::clone(&self.state) }))
    }
    fn list(&self) -> io::Result<Vec<Entry>> {
        let state = self.state();
        Ok(state.live.iter().map(|(name, file)| Entry { name: name.clone(), len: file.live.len as u64 }).collect())
    }
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = self.file(name)?;
        Ok(file.live.copy(0..file.live.len))
    }
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let file = File { live: Arc::new(Memory::new(bytes)), durable: Arc::default() };
        self.change_dir(|dir| {
            dir.insert(name.to_owned(), file);
            Ok(())
        })
    }
    fn sync_file(&self, name: &str) -> io::Result<()> {
        let file = self.file(name)?;
        sync_bytes(&self.state, &file, 0..file.live.len)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change_dir(|dir| {
            let file = dir.remove(from).ok_or(io::ErrorKind::NotFound)?;
            dir.insert(to.to_owned(), file);
            Ok(())
        })
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.change_dir(|dir| dir.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into()))
    }
    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.off {
            return Err(off());
        }
        state.dirs = vec![state.live.clone()];
        Ok(())
    }
    fn lock(&self) -> io::Result<Box<dyn Lock>> {
        if self.locked.swap(true, Ordering::AcqRel) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(CrashLock(Arc::clone(&self.locked))))
    }
    fn boot_id(&self) -> String {
        self.boot.to_string()
    }
}
