//! Facts that can be read from an event.

use k8s_openapi::api::core::v1::Event;
use k8s_openapi::jiff::Timestamp;

/// When the event happened last, as far as it says; events of equal age keep their order.
pub fn last_time(event: &Event) -> Option<Timestamp> {
    let in_series = event
        .series
        .as_ref()
        .and_then(|it| it.last_observed_time.as_ref())
        .map(|it| it.0);
    let times = [
        in_series,
        event.last_timestamp.as_ref().map(|it| it.0),
        event.event_time.as_ref().map(|it| it.0),
        event.metadata.creation_timestamp.as_ref().map(|it| it.0),
    ];
    times.into_iter().flatten().max()
}
