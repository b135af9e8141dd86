//! A model that waits for another system.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use ml_model_core::{Infer, MLModel};

use crate::decorators::Retry;

/// Returns the reply of another system to a word.
#[derive(Debug, MLModel)]
#[decorate(prediction_id)]
#[decorate(logging)]
#[decorate(Retry { attempts: 3 })]
pub struct RemoteModel {
    pub address: SocketAddr,
}

impl Infer for RemoteModel {
    type Input = String;
    type Output = String;
    type Error = io::Error;

    fn infer(&self, word: &String) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(word.as_bytes())?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}
