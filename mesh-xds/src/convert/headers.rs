//! Header operations.

use mesh_route::plan::{HeaderOp, HeaderOpKind};

use crate::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use crate::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};

/// Operations of one direction as Envoy holds them: what is set or added, and what is removed (X-RDS-27).
#[derive(Default)]
pub(super) struct Lists {
    pub(super) to_add: Vec<HeaderValueOption>,
    pub(super) to_remove: Vec<String>,
}

/// Sorts operations into lists, keeping their order.
pub(super) fn lists(ops: &[HeaderOp]) -> Lists {
    let mut lists = Lists::default();
    for op in ops {
        let HeaderOp {
            kind,
            name,
            value,
            level: _,
        } = op;
        let action = match kind {
            HeaderOpKind::Remove => {
                lists.to_remove.push(name.to_string());
                continue;
            }
            HeaderOpKind::Set => HeaderAppendAction::OverwriteIfExistsOrAdd,
            HeaderOpKind::Add => HeaderAppendAction::AppendIfExistsOrAdd,
        };
        lists.to_add.push(HeaderValueOption {
            header: Some(HeaderValue {
                key: name.to_string(),
                value: value.to_string(),
                ..Default::default()
            }),
            append_action: action.into(),
            ..Default::default()
        });
    }
    lists
}
