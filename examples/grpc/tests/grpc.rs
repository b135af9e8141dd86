//! The service over real sockets, and as a running program.

#![allow(clippy::unwrap_used, reason = "clippy accepts `unwrap` in test functions only")]

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use grpc::messages::insurance_charges_service_client::InsuranceChargesServiceClient;
use grpc::messages::insurance_charges_service_server::SERVICE_NAME;
use grpc::messages::{PredictRequest, Region, Sex};
use grpc::predictor::{ChargesModel, PREDICTION_ID, Predictor};
use grpc::server::serve;
use insurance_charges as charges;
use insurance_charges::{
    InsuranceChargesModel, InsuranceChargesModelInput, InsuranceChargesModelOutput,
};
use ml_logging::Logging;
use ml_model_core::{Infer, MLModel, PendingCalls, PredictionError, Rejection, RejectionKind};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_types::StatusExt;

const INPUT: InsuranceChargesModelInput = InsuranceChargesModelInput {
    age: 42,
    sex: charges::Sex::Female,
    bmi: 24.5,
    children: 2,
    smoker: false,
    region: charges::Region::Northwest,
};

/// The message of `INPUT`.
fn message() -> PredictRequest {
    PredictRequest {
        age: Some(42),
        sex: Some(Sex::Female.into()),
        bmi: Some(24.5),
        children: Some(2),
        smoker: Some(false),
        region: Some(Region::Northwest.into()),
    }
}

fn request(id: &str, message: PredictRequest) -> Request<PredictRequest> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(PREDICTION_ID, id.parse().unwrap());
    request
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of all tests in this process.
static LOG: LazyLock<(Memory, Logging)> = LazyLock::new(|| {
    let memory = Memory::default();
    let writer = memory.clone();
    (
        memory,
        ml_logging::builder().environment(|_| None).writer(move || writer.clone()).init().unwrap(),
    )
});

fn records_of(id: &str) -> Vec<Value> {
    let (memory, logging) = &*LOG;
    logging.flush().unwrap();
    let log = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
    let records = log.lines().map(|line| serde_json::from_str(line).unwrap());
    records.filter(|record: &Value| record["prediction_id"] == id).collect()
}

/// A server in this process, with a connection to it.
struct Server {
    channel: Channel,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    pending: Arc<PendingCalls>,
    served: JoinHandle<Result<(), String>>,
}

impl Server {
    async fn start(model: impl ChargesModel + 'static, drain_limit: Duration) -> Self {
        LazyLock::force(&LOG);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let pending = Arc::<PendingCalls>::default();
        let predictor = Predictor::new(model, pending.clone()).unwrap();
        let served = tokio::spawn(async move {
            let shutdown = async { stopped.await.unwrap() };
            serve(predictor, listener, shutdown, drain_limit)
                .await
                .map_err(|error| error.to_string())
        });
        Self { channel: connect(address).await.unwrap(), address, stop, pending, served }
    }

    fn client(&self) -> InsuranceChargesServiceClient<Channel> {
        InsuranceChargesServiceClient::new(self.channel.clone())
    }

    async fn predict(&self, id: &str, message: PredictRequest) -> Result<f64, Status> {
        let response = self.client().predict(request(id, message)).await?;
        assert_eq!(response.metadata().get(PREDICTION_ID).unwrap(), id);
        Ok(response.into_inner().charges)
    }
}

async fn connect(address: SocketAddr) -> Result<Channel, tonic::transport::Error> {
    Endpoint::try_from(format!("http://{address}")).unwrap().connect().await
}

/// Long enough for every open call.
const NO_LIMIT: Duration = Duration::from_secs(600);

/// Ends the process when it is dropped, unless it has ended.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn the_program_predicts_records_and_stops() {
    let program = Command::new(env!("CARGO_BIN_EXE_grpc"))
        .arg("127.0.0.1:0")
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut program = Killed(program);
    let mut log = BufReader::new(program.0.stdout.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let listening = log.find(|record| record["message"] == "Listening.").unwrap();
    let address = listening["address"].as_str().unwrap().parse().unwrap();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let predicted = runtime.block_on(async {
        let mut client = InsuranceChargesServiceClient::new(connect(address).await.unwrap());
        let response = client.predict(request("order-7", message())).await.unwrap();
        assert_eq!(response.metadata().get(PREDICTION_ID).unwrap(), "order-7");
        // Without an id, the service makes one.
        let other = client.predict(message()).await.unwrap();
        assert_eq!(other.metadata().get(PREDICTION_ID).unwrap().len(), 36);
        response.into_inner().charges
    });
    assert_eq!(predicted, InsuranceChargesModel::load().unwrap().charges(&INPUT));

    let id = program.0.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
    let records: Vec<_> = log.collect();
    assert!(program.0.wait().unwrap().success());
    let of_order: Vec<_> =
        records.iter().filter(|record| record["prediction_id"] == "order-7").collect();
    assert_eq!(of_order.len(), 2);
    assert_eq!((&of_order[0]["age"], &of_order[0]["bmi"]), (&42.into(), &24.5.into()));
    assert_eq!(of_order[1]["message"], "Prediction created.");
    assert_eq!(of_order[1]["charges"], predicted);
    let last = records.last().unwrap();
    assert_eq!((&last["message"], &last["abandoned"]), (&"Stopped.".into(), &0.into()));
}

#[tokio::test]
async fn a_refused_input_is_answered_with_all_violations_and_recorded() {
    let server = Server::start(InsuranceChargesModel::load().unwrap(), NO_LIMIT).await;
    let wrong = PredictRequest {
        age: Some(300),
        sex: Some(Sex::Unspecified.into()),
        smoker: None,
        region: Some(9),
        ..message()
    };
    let status = server.predict("refused-1", wrong).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.metadata().get(PREDICTION_ID).unwrap(), "refused-1");
    let details = status.get_details_bad_request().unwrap();
    let mut fields: Vec<_> = details.field_violations.iter().map(|one| &*one.field).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["age", "region", "sex", "smoker"], "{details:?}");
    assert!(status.message().contains("\"smoker\" is a required property"), "{status:?}");
    assert!(!status.message().contains("300"), "{status:?}");

    let records = records_of("refused-1");
    assert_eq!(records.len(), 2);
    assert_eq!((&records[0]["age"], &records[0]["bmi"]), (&300.into(), &24.5.into()));
    assert_eq!(records[1]["status"], "error");

    let status = server.predict("not/an/id", message()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        status.get_details_bad_request().unwrap().field_violations[0].field,
        "prediction_id"
    );
}

/// Fails in the way that the number of children selects.
#[derive(Debug, MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(input_fields = ["children"]))]
struct Failing;

impl Infer for Failing {
    type Input = InsuranceChargesModelInput;
    type Output = InsuranceChargesModelOutput;
    type Error = PredictionError;

    fn infer(&self, input: &Self::Input) -> Result<Self::Output, PredictionError> {
        let reject = |kind| Rejection::new(kind, "UnknownCustomerError", "no such customer").into();
        Err(match input.children {
            0 => PredictionError::model("secret"),
            1 => panic!("secret"),
            2 => reject(RejectionKind::NotFound),
            3 => reject(RejectionKind::Unprocessable),
            4 => reject(RejectionKind::TooManyRequests),
            _ => reject(RejectionKind::Unavailable),
        })
    }
}

/// Panics on the thread of the connection.
#[derive(Debug, MLModel)]
#[ml_model(execution = inline)]
struct InlinePanic;

impl Infer for InlinePanic {
    type Input = InsuranceChargesModelInput;
    type Output = InsuranceChargesModelOutput;
    type Error = String;

    fn infer(&self, _: &Self::Input) -> Result<Self::Output, String> {
        panic!("secret")
    }
}

#[tokio::test]
async fn errors_have_states_without_details_of_the_model() {
    let server = Server::start(Failing, NO_LIMIT).await;
    let states = [
        Code::Internal,
        Code::Internal,
        Code::NotFound,
        Code::FailedPrecondition,
        Code::ResourceExhausted,
        Code::Unavailable,
    ];
    for (children, code) in (0..).zip(states) {
        let id = format!("failing-{children}");
        let wrong = PredictRequest { children: Some(children), ..message() };
        let status = server.predict(&id, wrong).await.unwrap_err();
        assert_eq!(status.code(), code);
        assert_eq!(status.metadata().get(PREDICTION_ID).unwrap(), &*id);
        assert!(!format!("{status:?}").contains("secret"), "{status:?}");
        let reason = status.get_details_error_info().map(|info| info.reason);
        let rejected = (code != Code::Internal).then(|| "UnknownCustomerError".to_owned());
        assert_eq!(reason, rejected);
        let records = records_of(&id);
        assert_eq!(records.last().unwrap()["message"], "Prediction exception.");
    }

    let server = Server::start(InlinePanic, NO_LIMIT).await;
    for id in ["panic-1", "panic-2"] {
        let status = server.predict(id, message()).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Internal, "the model panicked"));
    }
}

#[tokio::test]
async fn health_and_reflection_know_the_service() {
    let server = Server::start(InsuranceChargesModel::load().unwrap(), NO_LIMIT).await;
    let mut health = HealthClient::new(server.channel.clone());
    for service in ["", SERVICE_NAME] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let response = health.check(request).await.unwrap().into_inner();
        assert_eq!(response.status(), ServingStatus::Serving);
    }

    let mut reflection = ServerReflectionClient::new(server.channel.clone());
    let questions = [
        MessageRequest::ListServices(String::new()),
        MessageRequest::FileContainingSymbol(format!("{SERVICE_NAME}.Predict")),
        MessageRequest::FileContainingSymbol("google.rpc.BadRequest".to_owned()),
    ];
    let questions = questions.map(|question| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(question),
    });
    let mut answers = reflection
        .server_reflection_info(tokio_stream::iter(questions))
        .await
        .unwrap()
        .into_inner();
    let mut next = async || answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = next().await else { panic!("no list") };
    let mut names: Vec<_> = list.service.iter().map(|service| &*service.name).collect();
    names.sort_unstable();
    let expected = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", SERVICE_NAME];
    assert_eq!(names, expected);
    for _symbol in ["Predict", "BadRequest"] {
        let answer = next().await;
        assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{answer:?}");
    }
}

/// Reports each call, and waits for a permission to answer it.
#[derive(Debug, MLModel)]
#[decorate(prediction_id)]
#[decorate(logging(output_fields = ["charges"]))]
struct Gated {
    calls: mpsc::UnboundedSender<()>,
    permissions: Mutex<std::sync::mpsc::Receiver<()>>,
}

/// The other side of a `Gated` model.
struct Gate {
    calls: mpsc::UnboundedReceiver<()>,
    permit: std::sync::mpsc::Sender<()>,
}

impl Gated {
    fn new() -> (Self, Gate) {
        let (calls, of_gate) = mpsc::unbounded_channel();
        let (permit, permissions) = std::sync::mpsc::channel();
        let permissions = Mutex::new(permissions);
        (Self { calls, permissions }, Gate { calls: of_gate, permit })
    }
}

impl Infer for Gated {
    type Input = InsuranceChargesModelInput;
    type Output = InsuranceChargesModelOutput;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn infer(&self, _: &Self::Input) -> Result<Self::Output, Self::Error> {
        self.calls.send(())?;
        // The limit ends the test if this thread is the one that must give the permission.
        self.permissions.lock().unwrap().recv_timeout(Duration::from_secs(60))?;
        Ok(InsuranceChargesModelOutput { charges: 7.0 })
    }
}

// The runtime of these tests has one thread, which a blocking model must not take.

#[tokio::test]
async fn a_call_that_is_open_at_the_stop_is_answered() {
    let (model, mut gate) = Gated::new();
    let server = Server::start(model, NO_LIMIT).await;
    let mut client = server.client();
    let open = tokio::spawn(async move { client.predict(request("open-1", message())).await });
    gate.calls.recv().await.unwrap();

    let mut health = HealthClient::new(server.channel.clone());
    let watched = HealthCheckRequest { service: SERVICE_NAME.to_owned() };
    let mut states = health.watch(watched).await.unwrap().into_inner();
    assert_eq!(states.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.stop.send(()).unwrap();
    assert_eq!(states.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(states.message().await.unwrap().is_none());

    gate.permit.send(()).unwrap();
    assert_eq!(open.await.unwrap().unwrap().into_inner().charges, 7.0);
    server.served.await.unwrap().unwrap();
    assert!(connect(server.address).await.is_err());
    assert_eq!(server.pending.abandon("stopped"), 0);
}

#[tokio::test]
async fn a_call_beyond_the_drain_limit_is_abandoned_with_a_record() {
    let (model, mut gate) = Gated::new();
    let server = Server::start(model, Duration::ZERO).await;
    let mut client = server.client();
    let _open = tokio::spawn(async move { client.predict(request("open-2", message())).await });
    gate.calls.recv().await.unwrap();

    server.stop.send(()).unwrap();
    server.served.await.unwrap().unwrap();
    assert_eq!(server.pending.abandon("stopped"), 1);
    let records = records_of("open-2");
    let last = records.last().unwrap();
    assert_eq!(
        (&last["message"], &last["error_info"]),
        (&"Prediction exception.".into(), &"stopped".into())
    );
    // The model's thread ends, and with it the runtime.
    gate.permit.send(()).unwrap();
}
