//! The only place that sends to the API server, and so the only one that waits for it.

use std::future::Future;
use std::time::Duration;

use futures::TryStream;
use http::Method;
use kube::core::WatchEvent;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Cluster;
use super::error::{ClusterError, Doing};

/// How long a request may take, from the connection to the last byte of the answer.
///
/// Most take less than a second; a write may wait for webhooks, each of them 10 s by default. Four
/// requests that are given up fit into the 120 s of an ordinary wait.
pub(super) const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// What a request carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    pub(super) media_type: &'static str,
    pub(super) value: &'a Value,
}

impl Cluster {
    /// Sends a request and reads JSON from the answer.
    ///
    /// # Errors
    /// As [`Cluster::text`], and when the answer is something else than JSON of a `T`.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: String,
        content: Option<Content<'_>>,
        doing: &Doing,
    ) -> Result<T, ClusterError> {
        let text = self.text(method, path, content, doing).await?;
        serde_json::from_str(&text).map_err(|error| {
            ClusterError::unexpected(doing, &format!("unreadable answer: {error}"))
        })
    }

    /// Sends a request and gives the answer as it is.
    ///
    /// # Errors
    /// When the server refuses, or has not answered in full in time.
    pub(super) async fn text(
        &self,
        method: Method,
        path: String,
        content: Option<Content<'_>>,
        doing: &Doing,
    ) -> Result<String, ClusterError> {
        let request = request(method, path, content, doing)?;
        self.in_time(self.client.request_text(request), doing).await
    }

    /// Begins a watch. Only its beginning is bounded, as it lasts until something happens.
    ///
    /// # Errors
    /// When the server refuses, or has not begun to answer in time.
    pub(super) async fn events(
        &self,
        path: String,
        doing: &Doing,
    ) -> Result<impl TryStream<Item = Result<WatchEvent<Value>, kube::Error>> + use<>, ClusterError>
    {
        let request = request(Method::GET, path, None, doing)?;
        self.in_time(self.client.request_events(request), doing)
            .await
    }

    /// Waits for an answer, and no longer than a request may take.
    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, kube::Error>>,
        doing: &Doing,
    ) -> Result<T, ClusterError> {
        match tokio::time::timeout(self.longest_request, answer).await {
            Ok(answer) => answer.map_err(|error| ClusterError::new(doing, error)),
            Err(_) => Err(ClusterError::late(doing, self.longest_request)),
        }
    }
}

fn request(
    method: Method,
    path: String,
    content: Option<Content<'_>>,
    doing: &Doing,
) -> Result<http::Request<Vec<u8>>, ClusterError> {
    let request = http::Request::builder().method(method).uri(path);
    let request = match content {
        None => request.body(Vec::new()),
        Some(Content { media_type, value }) => request
            .header(http::header::CONTENT_TYPE, media_type)
            .body(value.to_string().into_bytes()),
    };
    request.map_err(|error| ClusterError::unexpected(doing, &error.to_string()))
}
