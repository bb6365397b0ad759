//! Events and alerts in the form that was asked for.

use schemas::ecs::Original;
use schemas::ocsf::RawData;
use schemas::{Alert, FlowBatch, json};

use crate::config::Form;

/// Appends a row as a document, without a line end.
pub fn event(form: Form, batch: &FlowBatch, row: usize, out: &mut Vec<u8>) {
    match form {
        Form::Canonical => json::write_row(batch, row, out),
        Form::Ecs => schemas::ecs::write_row(batch, row, Original::Kept, out),
        Form::Ocsf => schemas::ocsf::write_row(batch, row, RawData::Kept, out),
    }
}

/// Appends an alert as a document, without a line end.
pub fn alert(form: Form, alert: &Alert, out: &mut Vec<u8>) {
    match form {
        Form::Canonical => alert.write_json(out),
        Form::Ecs => schemas::ecs::write_alert(alert, out),
        Form::Ocsf => schemas::ocsf::write_alert(alert, out),
    }
}
