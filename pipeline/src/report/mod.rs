//! What people get to read: alerts in the terminal, the summary of a batch run, the report as one HTML file.
//!
//! All three show the same [`view::AlertView`], so that they can't tell different stories, and everything in it that came from
//! a log has been made harmless once, in one place.

pub mod activity;
pub mod alert_text;
pub mod html;
pub mod summary;
pub mod view;

pub use activity::Activity;
pub use alert_text::{Detail, Style};
pub use summary::Summary;
pub use view::AlertView;
