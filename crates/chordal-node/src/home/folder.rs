//! One node's folder: its lock, identity, control token and incarnation.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chordal_net::{Certificate, NodeKey, PeerId};
use chordal_object::NodeId;

use super::HomeError;

/// A node's folder, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct NodeFolder {
    path: PathBuf,
    /// The lock goes when the file is closed, however the program ends.
    _lock: File,
}

impl NodeFolder {
    /// Makes the folder where it is missing, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, HomeError> {
        make(path)?;
        let lock_path = path.join("lock");
        let lock = private_file(&lock_path).map_err(|error| HomeError::io(&lock_path, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(HomeError::Locked {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(HomeError::io(&lock_path, error)),
        }
    }

    /// Who the node in this folder is, and its certificate, if it has both. Makes and locks nothing.
    pub(crate) fn peek(path: &Path) -> Result<Option<(PeerId, Certificate)>, HomeError> {
        let key = path.join("node.key");
        let is_there = key.try_exists();
        let is_there = is_there.map_err(|error| HomeError::io(&key, error))?;
        match certificate(path)? {
            Some(certificate) if is_there => {
                let node = NodeKey::load_or_create(&key)?.peer_id();
                Ok(Some((node, certificate)))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where its store is.
    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    /// The node's identity, made at the first start.
    pub(crate) fn key(&self) -> Result<NodeKey, HomeError> {
        Ok(NodeKey::load_or_create(&self.path.join("node.key"))?)
    }

    /// Puts the identity aside, so that the next one is another.
    pub(crate) fn set_key_aside(&self, id: NodeId) -> Result<(), HomeError> {
        let path = self.path.join("node.key");
        let aside = self.path.join(format!("node.key.was-{}", id.short()));
        fs::rename(&path, aside)
            .and_then(|()| sync_folder(&self.path))
            .map_err(|error| HomeError::io(&path, error))
    }

    /// The secret of the control API, made at the first start.
    pub(crate) fn control_token(&self) -> Result<String, HomeError> {
        let path = self.path.join("control.token");
        if let Some(token) = read(&path)? {
            return checked_token(&path, token);
        }
        let token = random_hex();
        replace(&path, token.as_bytes())?;
        Ok(token)
    }

    /// The certificate by which the node was let in, if it has one yet.
    pub(crate) fn certificate(&self) -> Result<Option<Certificate>, HomeError> {
        certificate(&self.path)
    }

    /// Keeps the certificate by which the node was let in.
    pub(crate) fn keep_certificate(&self, certificate: &Certificate) -> Result<(), HomeError> {
        replace(&self.path.join("admission"), &certificate.encode())
    }

    /// Counts one more start, durably, and returns the new count.
    pub(crate) fn next_incarnation(&self) -> Result<u64, HomeError> {
        let next = self.incarnation()?.saturating_add(1);
        self.save_incarnation(next)?;
        Ok(next)
    }

    /// Keeps an incarnation for the next life, durably; a smaller one than is kept is passed over.
    pub(crate) fn keep_incarnation(&self, incarnation: u64) -> Result<(), HomeError> {
        if incarnation > self.incarnation()? {
            self.save_incarnation(incarnation)?;
        }
        Ok(())
    }

    fn incarnation(&self) -> Result<u64, HomeError> {
        let path = self.path.join("incarnation");
        let Some(text) = read(&path)? else {
            return Ok(0);
        };
        text.trim().parse().map_err(|_| HomeError::Damaged {
            path,
            what: "not a number",
        })
    }

    fn save_incarnation(&self, incarnation: u64) -> Result<(), HomeError> {
        replace(
            &self.path.join("incarnation"),
            format!("{incarnation}\n").as_bytes(),
        )
    }
}

/// The certificate in a node's folder.
fn certificate(folder: &Path) -> Result<Option<Certificate>, HomeError> {
    let path = folder.join("admission");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(HomeError::io(&path, error)),
    };
    match Certificate::decode(&bytes) {
        Ok(certificate) => Ok(Some(certificate)),
        Err(_) => Err(HomeError::Damaged {
            path,
            what: "not an admission certificate",
        }),
    }
}

/// Makes a folder for its owner alone. One that exists is left as it is.
pub(super) fn make(path: &Path) -> Result<(), HomeError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| HomeError::io(path, error))
}

/// Reads a control token for a client.
pub(super) fn read_token(folder: &Path) -> Result<String, HomeError> {
    let path = folder.join("control.token");
    match read(&path)? {
        Some(token) => checked_token(&path, token),
        None => Err(HomeError::io(&path, io::ErrorKind::NotFound.into())),
    }
}

/// The text of a small file, or nothing where there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>, HomeError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(HomeError::io(path, error)),
    }
}

/// Opens a file for its owner alone, made where it is missing, its content untouched.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a small file so that after a crash it holds the old or the new content, whole.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), HomeError> {
    let write = || {
        let temporary = path.with_extension("tmp");
        let mut file = private_file(&temporary)?;
        file.set_len(0)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_folder(path.parent().unwrap_or_else(|| Path::new(".")))
    };
    write().map_err(|error| HomeError::io(path, error))
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn checked_token(path: &Path, token: String) -> Result<String, HomeError> {
    let token = token.trim().to_owned();
    if token.len() != 64 || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(HomeError::Damaged {
            path: path.to_owned(),
            what: "not 64 hexadecimal digits",
        });
    }
    Ok(token)
}

/// 32 random bytes as 64 hexadecimal digits. A fresh key's seed never leaves the network crate, so
/// its public half, hashed, serves as the randomness: nobody else ever saw it.
fn random_hex() -> String {
    blake3::hash(&NodeKey::generate().peer_id().0)
        .to_hex()
        .to_string()
}
