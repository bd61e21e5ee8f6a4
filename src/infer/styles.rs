//! Blends of a network's own styles.

/// A number for each of `count` styles, in sum 1, of styles with weights.
///
/// # Errors
/// A sentence: there is no such style, or the weights are no shares.
pub fn style_weights(weights: &[(usize, f32)], count: usize) -> Result<Vec<f32>, String> {
    let sum: f32 = weights.iter().map(|(_, weight)| weight).sum();
    let mut all = vec![0.0; count];
    for &(style, weight) in weights {
        let last = count.saturating_sub(1);
        let none = || format!("there is no style {style}; the network has 0 to {last}");
        *all.get_mut(style).ok_or_else(none)? += weight / sum;
    }
    if sum > 0.0 && weights.iter().all(|(_, weight)| *weight >= 0.0) {
        Ok(all)
    } else {
        Err("style weights must not be negative, nor all zero".into())
    }
}
