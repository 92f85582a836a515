//! The only place that sends to the API server, and so the only one that waits for it.

use std::future::Future;
use std::time::Duration;

use futures::TryStream;
use kube::core::WatchEvent;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Cluster;
use super::error::{ClusterError, Operation};

/// How long a request may take, from the connection to the last byte of the answer.
///
/// Most take less than a second; a write may wait for webhooks, each of them 10 s by default. Four
/// requests that are given up fit into the 120 s of an ordinary wait.
pub(super) const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// A request as it is built, or why it cannot be.
pub(super) type Built = Result<http::Request<Vec<u8>>, kube::core::request::Error>;

impl Cluster {
    /// Sends a request and reads JSON from the answer.
    ///
    /// # Errors
    /// As [`Cluster::text`], and when the answer is something else than JSON of a `T`.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        request: Built,
        operation: &Operation,
    ) -> Result<T, ClusterError> {
        let text = self.text(request, operation).await?;
        serde_json::from_str(&text).map_err(|error| {
            let why = format!("unreadable answer: {error}");
            if error.is_data() {
                return ClusterError::unexpected(operation, &why);
            }
            // No JSON at all: a proxy or a load balancer answers in the server's place.
            ClusterError::away(operation, why)
        })
    }

    /// Sends a request and gives the answer as it is.
    ///
    /// # Errors
    /// When the server refuses, or has not answered in full in time.
    pub(super) async fn text(
        &self,
        request: Built,
        operation: &Operation,
    ) -> Result<String, ClusterError> {
        let request = built(request, operation)?;
        self.in_time(self.client.request_text(request), operation)
            .await
    }

    /// Begins a watch. Only its beginning is bounded, as it lasts until something happens.
    ///
    /// # Errors
    /// When the server refuses, or has not begun to answer in time.
    pub(super) async fn events(
        &self,
        request: Built,
        operation: &Operation,
    ) -> Result<impl TryStream<Item = Result<WatchEvent<Value>, kube::Error>> + use<>, ClusterError>
    {
        let request = built(request, operation)?;
        self.in_time(self.client.request_events(request), operation)
            .await
    }

    /// Waits for an answer, and no longer than a request may take.
    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, kube::Error>>,
        operation: &Operation,
    ) -> Result<T, ClusterError> {
        match tokio::time::timeout(self.longest_request, answer).await {
            Ok(answer) => answer.map_err(|error| ClusterError::new(operation, error)),
            Err(_) => Err(ClusterError::late(operation, self.longest_request)),
        }
    }
}

fn built(request: Built, operation: &Operation) -> Result<http::Request<Vec<u8>>, ClusterError> {
    request.map_err(|error| ClusterError::unexpected(operation, &error.to_string()))
}

/// A request for a path that belongs to no resource.
pub(super) fn get(path: &str) -> Built {
    http::Request::get(path)
        .body(Vec::new())
        .map_err(kube::core::request::Error::BuildRequest)
}

/// A JSON document sent to a path that belongs to no resource, such as a proxy's.
pub(super) fn post(path: &str, document: &Value) -> Built {
    http::Request::post(path)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(document.to_string().into_bytes())
        .map_err(kube::core::request::Error::BuildRequest)
}
