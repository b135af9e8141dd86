//! `ml-logs serve`: the thread that reads, and the server of the page.

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use jiff::tz::TimeZone;
use ml_configuration::Problems;
use tokio::net::TcpListener;

use crate::api::{self, Access, Router};
use crate::cli::Serve;
use crate::config::{self, Settings};
use crate::ingest::{Ingest, SharedProgress};
use crate::query::Reader;
use crate::store::{self, Limits, Retention, StoreError, Writer};

/// Free space of the disk that is left.
const MIN_FREE_BYTES: u64 = 500_000_000;
/// Time of a question.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// Reason why nothing is served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("{0}")]
    Settings(#[from] Problems),
    #[error("cannot use the folder {}: {source}; choose another one with --store", .store.display())]
    Folder { store: PathBuf, source: io::Error },
    #[error("another ml-logs writes into {}: stop it, or choose another folder with --store", .0.display())]
    Locked(PathBuf),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("cannot listen on {address}: {source}; choose another address with --address")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot start: {0}")]
    Runtime(io::Error),
}

/// Serves until SIGTERM or SIGINT.
pub(crate) fn serve(arguments: Serve) -> Result<(), ServeError> {
    let settings = settings(arguments)?;
    let store = settings.store.unwrap_or_else(|| config::STORE.into());
    // The lock is released when the program ends, in whatever way.
    let _lock = lock(&store)?;
    let resume = store::resume(&store)?;
    let limits = Limits {
        retention: Retention { days: settings.retention_days, max_bytes: settings.max_size },
        min_free_bytes: settings.min_free.unwrap_or(MIN_FREE_BYTES),
    };
    let zone = settings.time_zone.unwrap_or_else(TimeZone::system);
    let writer = Writer::new(&store, zone, limits, resume.oldest_day);
    let progress = SharedProgress::default();
    let address = settings.address.unwrap_or((Ipv4Addr::LOCALHOST, 8001).into());
    let reader = Arc::new(Reader::new(&store, TIME_LIMIT));
    let router = Router::new(reader, progress.clone(), Access::new(settings.token));

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ServeError::Listen { address, source })?;
        let signals = signals().map_err(ServeError::Runtime)?;
        let address = listener.local_addr().map_err(ServeError::Runtime)?;
        // Nothing is read before the port is open, so that a mistake does not use up standard input.
        let (stop, stopped) = mpsc::channel();
        let reading = thread::spawn(move || {
            Ingest::new(&settings.files, resume.positions, writer, progress).run(&stopped);
        });
        eprintln!("ml-logs: http://{address} shows the store {}", store.display());
        api::serve(router, listener, signals).await;
        drop(stop);
        reading.thread().unpark();
        if reading.join().is_err() {
            eprintln!("ml-logs: the reading thread has failed");
        }
        Ok(())
    })
}

/// Merges the command line and the file, and checks them.
fn settings(arguments: Serve) -> Result<Settings, Problems> {
    let mut problems = Problems::new();
    let token = arguments.token_file.as_deref().map(config::token_from_file);
    let token = token.and_then(|token| token.map_err(|message| problems.add(message)).ok());
    let given = Settings {
        files: arguments.files,
        store: arguments.store,
        address: arguments.address,
        retention_days: arguments.retention_days,
        max_size: arguments.max_size,
        min_free: arguments.min_free,
        time_zone: arguments.time_zone,
        token,
    };
    let settings = match arguments.config {
        None => given,
        Some(path) => match Settings::read(&path) {
            Ok(file) => given.or(file),
            Err(mistakes) => {
                problems.extend(mistakes);
                return Err(problems);
            }
        },
    };
    if settings.files.is_empty() {
        problems.add("nothing to read: name log files, or `-` for standard input");
    }
    if let Some(address) = settings.address
        && !address.ip().is_loopback()
        && settings.token.is_none()
    {
        problems.add(format!(
            "{address} can be reached from other machines: give a token with --token-file, or use an \
             address of this machine such as 127.0.0.1:8001"
        ));
    }
    problems.into_result(settings)
}

/// Creates the folder and locks it against a second writer.
fn lock(store: &Path) -> Result<File, ServeError> {
    let error = |source| ServeError::Folder { store: store.to_owned(), source };
    fs::create_dir_all(store).map_err(error)?;
    let file = File::create(store.join("lock")).map_err(error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ServeError::Locked(store.to_owned())),
        Err(TryLockError::Error(source)) => Err(error(source)),
    }
}

/// Waits for SIGTERM or SIGINT. Catches signals from the call on.
fn signals() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
