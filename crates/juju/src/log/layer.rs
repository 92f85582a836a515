//! A layer for `tracing-subscriber` that writes to `juju-log`.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::Level;
use crate::tools::HookTools;

/// Passes events to `juju-log`. Combine it with a filter of levels: it takes all of them.
///
/// A line is the spans that are open, the message, then the fields:
/// `reconcile{attempt=2}: applied object="Service istiod"`.
#[derive(Clone, Debug)]
pub struct JujuLogLayer {
    tools: HookTools,
}

/// Writes the kept lines when it is dropped. Hold it until the process ends.
#[derive(Debug)]
#[must_use = "lines are lost unless the guard is held until the end"]
pub struct LogGuard {
    tools: HookTools,
}

/// A layer that writes to `juju-log`, and the guard that writes the last lines.
pub fn juju_log_layer(tools: &HookTools) -> (JujuLogLayer, LogGuard) {
    (
        JujuLogLayer {
            tools: tools.clone(),
        },
        LogGuard {
            tools: tools.clone(),
        },
    )
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.tools.flush_log();
    }
}

/// The fields of a span, as text.
struct SpanFields(Line);

impl<S> Layer<S> for JujuLogLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Line::default();
            attributes.record(&mut fields);
            span.extensions_mut().replace(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = String::new();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(Scope::from_root)
        {
            line.push_str(span.name());
            if let Some(SpanFields(fields)) = span.extensions().get()
                && !fields.is_empty()
            {
                // Writing to a String cannot fail.
                let _ = write!(line, "{{{fields}}}");
            }
            line.push_str(": ");
        }
        let mut text = Line::default();
        event.record(&mut text);
        let _ = write!(line, "{text}");
        self.tools.log(level(*event.metadata().level()), &line);
    }
}

fn level(level: tracing::Level) -> Level {
    match level {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warning,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::TRACE => Level::Trace,
    }
}

/// A message and the fields after it.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn is_empty(&self) -> bool {
        self.message.is_empty() && self.fields.is_empty()
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            let space = if self.fields.is_empty() { "" } else { " " };
            write!(self.fields, "{space}{}={value:?}", field.name())
        };
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.message.is_empty() || self.fields.is_empty() {
            ""
        } else {
            " "
        };
        write!(formatter, "{}{space}{}", self.message, self.fields)
    }
}
