//! The logging program. It writes its own counts to files, which remain after a kill.

use std::{
    error::Error,
    fs::File,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use ml_logging::{Configuration, Handler, JsonFormatter, Logger, Logging, Policy};
use tracing::{info, level_filters::LevelFilter};

use crate::THREADS;

pub(crate) fn log(policy: &str, records: u64, folder: &Path) -> Result<(), Box<dyn Error>> {
    let policy = match policy {
        "block" => Policy::Block,
        "drop" => Policy::Drop,
        "audit" => Policy::Audit,
        other => return Err(format!("unknown policy {other}").into()),
    };
    let handler =
        Handler::stdout("out").formatter(JsonFormatter::new("%(message)s")?).policy(policy);
    let logging = Configuration::new()
        .environment(|_| None)
        .handler(handler)
        .logger(Logger::root().level(LevelFilter::INFO).handler("out"))
        .panic_records(true)
        .init()?;
    let counts = File::create(folder.join("counts"))?;
    let threads = File::create(folder.join("threads"))?;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let threads = &threads;
                let count = records / THREADS as u64
                    + u64::from((thread as u64) < records % THREADS as u64);
                scope.spawn(move || work(thread, count, threads))
            })
            .collect();
        let reporter = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                report(&logging, &counts)?;
                thread::sleep(Duration::from_millis(1));
            }
            Ok::<(), std::io::Error>(())
        });
        let worked: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        is_over.store(true, Ordering::Relaxed);
        for result in worked.into_iter().chain([reporter.join()]) {
            result.map_err(|_| "a thread has panicked")??;
        }
        Ok::<(), Box<dyn Error>>(())
    })?;
    logging.flush()?;
    report(&logging, &counts)?;
    Ok(())
}

/// Logs `count` records. Before and after each, its number is written to the file `threads`.
fn work(thread: usize, count: u64, threads: &File) -> Result<(), std::io::Error> {
    let offset = (thread * 16) as u64;
    for number in 0..count {
        threads.write_all_at(&(number + 1).to_le_bytes(), offset)?;
        info!(thread, number, "x");
        threads.write_all_at(&(number + 1).to_le_bytes(), offset + 8)?;
    }
    Ok(())
}

/// Writes the counts of the handler.
fn report(logging: &Logging, file: &File) -> Result<(), std::io::Error> {
    let counts = logging.counts().remove(0);
    let figures = [counts.accepted, counts.written, counts.dropped, counts.lost, counts.queued];
    file.write_all_at(&figures.map(u64::to_le_bytes).concat(), 0)
}
