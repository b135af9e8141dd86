//! The service as a program: command line, log, runtime and signals.

use std::env;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use ml_configuration::Problems;
use ml_logging::Logging;
use ml_model_core::error_chain;

use crate::cli::{self, Command, CommandLine};
use crate::config::{self, ApiKeys, Configuration};
use crate::hosting::registered::BoxError;
use crate::http::server::{self, ServeError};
use crate::service::{ConfiguredService, Service};
use crate::signals::{self, ShutdownLimits};
use crate::state::PREDICTION_THREADS;

/// Threads of the blocking pool beside those of predictions, for workers that wait for the log.
const OTHER_THREADS: usize = 64;

impl Service {
    /// Runs the service as a program.
    ///
    /// Reads the command line and the configuration, sets up the log, starts a Tokio runtime, and serves until SIGTERM or
    /// SIGINT. Then finishes the requests accepted before and flushes the log. The process ends at most
    /// `server.readiness_delay_s`, `server.drain_limit_s` and `logging.flush_limit_s` of the configuration after the
    /// signal, 25 s by default, and at once after a second signal.
    ///
    /// | | from the first of these that is given |
    /// |---|---|
    /// | address | `--address`, `ML_SERVICE_ADDRESS`, `server.address` of the file, `127.0.0.1:8000` |
    /// | file | `--config`, `REST_CONFIG`, `rest_config.yaml` if it exists |
    ///
    /// A program that chooses them itself, has set up its logging, or is in a runtime already, calls
    /// [`configured`](Self::configured) and [`serve`](ConfiguredService::serve) instead.
    #[must_use = "return the exit code from `main`: without it, a service that has failed ends with 0"]
    pub fn main(self) -> ExitCode {
        let command_line = CommandLine::parse();
        if command_line.version {
            cli::print_versions(&self.info, &self.registered);
            return ExitCode::SUCCESS;
        }
        let path = command_line.file();
        let mut problems = Problems::new();
        if self.registered.models.is_empty() {
            problems.add("the program has no models; add one with `Service::model` before `main`");
        }
        let address = command_line.address(&mut problems);
        let serves = matches!(command_line.command, None | Some(Command::Serve));
        let sets_up_log =
            serves || matches!(command_line.command, Some(Command::CheckConfig { .. }));
        if sets_up_log {
            cli::check_environment(&mut problems);
        }
        if serves && tokio::runtime::Handle::try_current().is_ok() {
            problems.add(
                "`Service::main` starts a runtime of its own; call it from a `main` that is not `async`, or call \
                 `configured` and `serve` in this runtime",
            );
        }
        let service = cli::document(path.as_deref(), &mut problems)
            .and_then(|file| {
                if sets_up_log {
                    cli::check_log_files(&file, path.as_deref(), &mut problems);
                }
                let service = self.read(&file).map_err(|more| problems.extend(more)).ok()?;
                if sets_up_log {
                    config::check_hash_key(&service.configuration.models, &mut problems);
                }
                Some(service)
            })
            .filter(|_| problems.is_empty());
        let Some(service) = service else {
            for problem in problems.to_string().lines() {
                eprintln!("error: {problem}");
            }
            return ExitCode::FAILURE;
        };
        let configuration = service.configuration;
        let variables = cli::unknown_variables(env::vars_os().map(|(name, _)| name));
        for warning in variables.iter().chain(&configuration.warnings) {
            eprintln!("warning: {warning}");
        }
        let result = match command_line.command {
            Some(Command::CheckConfig { .. }) => {
                cli::describe(&configuration, path.as_deref());
                Ok(())
            }
            Some(Command::GenerateOpenapi { output_file }) => {
                cli::generate_openapi(configuration, &output_file)
            }
            Some(Command::Export { target, output_dir, runbook_url }) => {
                cli::export(configuration, target, &runbook_url, &output_dir)
            }
            None | Some(Command::Serve) => run(configuration, address),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {}", error_chain(&*error));
                ExitCode::FAILURE
            }
        }
    }
}

/// Sets up the log and serves until a signal ends the service.
fn run(mut configuration: Configuration, address: Option<SocketAddr>) -> Result<(), BoxError> {
    const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);
    let address = address.or(configuration.server.address).unwrap_or(DEFAULT);
    let logging = match configuration.logging.take() {
        Some(configuration) => configuration.panic_records(true).init(),
        None => ml_logging::builder().panic_records(true).init(),
    };
    let logging = logging.map_err(|error| match error {
        ml_logging::Error::SubscriberInstalled | ml_logging::Error::LogInstalled => {
            "the program has set up logging before `Service::main`, which does so itself, as `logging:` of the \
             configuration file defines; remove the program's own set-up, or call `configured` and `serve`"
                .into()
        }
        error => BoxError::from(error),
    })?;
    let logging = Arc::new(logging);
    let service = ConfiguredService {
        configuration,
        logging: Some(logging.clone()),
        pending: Arc::default(),
        is_program: true,
    };
    let result = run_logged(service, address, &logging);
    if let Err(error) = &result {
        tracing::error!(error_info = %error_chain(&**error), "The service cannot run.");
    }
    logging
        .finish()
        .map_err(|error| format!("the log could not be written to its end: {error}"))?;
    result
}

fn run_logged(
    service: ConfiguredService,
    address: SocketAddr,
    logging: &Arc<Logging>,
) -> Result<(), BoxError> {
    /// Time for calls that end when the log no longer waits.
    const LAST_CALLS: Duration = Duration::from_millis(50);
    let server = &service.configuration.server;
    let limits = ShutdownLimits {
        readiness_delay: server.readiness_delay,
        drain: server.drain_limit,
        flush: logging.flush_limit(),
    };
    let (log, api_keys, admin_keys) =
        (logging.clone(), server.api_keys.clone(), server.admin_keys.clone());
    let reload = move || {
        log.reopen();
        match ApiKeys::reload(api_keys.as_deref(), admin_keys.as_deref()) {
            Ok(()) => tracing::info!("Log files are opened again, and key files are read again."),
            Err(error_info) => tracing::error!(
                error_info,
                "Log files are opened again. The keys stay as they were."
            ),
        }
    };
    let stop = signals::handle(logging.clone(), limits, reload).map_err(ServeError::Signals)?;
    let pending = service.pending.clone();
    // A thread that writes for others while the log stalls must not be the only one.
    let workers = thread::available_parallelism().map_or(1, NonZero::get).max(2);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(PREDICTION_THREADS + OTHER_THREADS)
        .enable_all()
        .build()?;
    let shutdown = {
        let mut stop = stop.clone();
        // An error means that the process ends.
        async move { drop(stop.wait_for(Option::is_some).await) }
    };
    runtime.block_on(async {
        let listener = server::listen(address)?;
        // On a worker, which leaves its other tasks to another thread while a record waits for the log.
        let served = tokio::spawn(service.serve(listener, shutdown)).await;
        // The task is not cancelled, so that an error is a panic.
        served.unwrap_or_else(|error| resume_unwind(error.into_panic()))
    })?;
    let begun = stop.borrow().unwrap_or_else(Instant::now);
    // Calls that go on after their time-out, or after their client has gone.
    let left = limits.drained(begun).saturating_duration_since(Instant::now());
    runtime.shutdown_timeout(left.max(LAST_CALLS));
    let abandoned = pending.abandon("the service has stopped before the prediction has finished");
    tracing::info!(abandoned, "Stopped.");
    Ok(())
}
