//! Keys: each starts one thing only.

use std::collections::HashMap;

use ganvas::app::Binding;

#[test]
fn no_two_things_share_a_key() {
    let mut bound: HashMap<String, Vec<&str>> = HashMap::new();
    for binding in Binding::all() {
        for keys in binding.shortcuts() {
            // Tools may share a letter: Shift with it cycles through them.
            let what = match binding {
                Binding::Tool(_) => "a tool",
                other => other.label(),
            };
            let users = bound.entry(format!("{keys:?}")).or_default();
            if !users.contains(&what) {
                users.push(what);
            }
        }
    }
    let shared: Vec<_> = bound.iter().filter(|(_, users)| users.len() > 1).collect();
    assert!(shared.is_empty(), "{shared:?}");
    assert!(bound.len() > 40, "only {} keys", bound.len());
}

#[test]
fn every_command_has_words() {
    for binding in Binding::all() {
        assert!(!binding.label().is_empty() && !binding.help().is_empty(), "{binding:?}");
        assert!(!binding.label().ends_with('.') && !binding.help().ends_with('.'), "{binding:?}");
    }
}
