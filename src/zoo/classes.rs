//! Names for the classes of generators that learnt from ImageNet (Russakovsky et al. 2015), whose
//! 1000 classes networks number alike.

/// Generators with as many classes have these.
pub const IMAGENET_CLASSES: usize = 1000;

/// Names that an error lists.
const SHOWN: usize = 5;

/// No class, or several, have that name; one sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassError {
    #[error("'{0}' is no class of ImageNet; write its name or number, such as 'tabby' or 281")]
    Unknown(String),
    #[error("'{name}' is the name of {count} classes, such as {}", .such.join(", "))]
    Several { name: String, count: usize, such: Vec<&'static str> },
}

/// The names, in the order of their numbers.
pub fn imagenet() -> impl Iterator<Item = &'static str> {
    include_str!("../../assets/classes/imagenet.txt").lines()
}

/// The number of the class that is called `name`, or alone has it as part of its name; case
/// matters only where names differ by nothing else.
///
/// # Errors
/// Where no or more than one class is meant.
pub fn find_class(name: &str) -> Result<usize, ClassError> {
    let wanted = name.trim().to_lowercase();
    let that = |fits: &dyn Fn(&str) -> bool| -> Vec<usize> {
        imagenet().enumerate().filter(|(_, have)| fits(have)).map(|(number, _)| number).collect()
    };
    let as_written = that(&|have| have == name.trim());
    let in_any_case = that(&|have| have.to_lowercase() == wanted);
    let meant = match (as_written.len(), in_any_case.len()) {
        (1, _) => as_written,
        (_, 0) => that(&|have| have.to_lowercase().contains(&wanted)),
        _ => in_any_case,
    };
    match meant[..] {
        [number] => Ok(number),
        _ if meant.is_empty() || wanted.is_empty() => Err(ClassError::Unknown(name.into())),
        _ => {
            let such = meant.iter().take(SHOWN).filter_map(|number| imagenet().nth(*number));
            Err(ClassError::Several { name: name.into(), count: meant.len(), such: such.collect() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whole_and_in_part() {
        let all: Vec<_> = imagenet().collect();
        assert_eq!(all.len(), IMAGENET_CLASSES);
        assert!(all.iter().all(|name| !name.trim().is_empty()));
        for (number, name) in all.iter().enumerate() {
            assert_eq!(find_class(name), Ok(number));
        }
        // A dog and a garment, told apart by their case alone.
        assert_eq!((find_class("Cardigan"), find_class("cardigan")), (Ok(264), Ok(474)));
        assert!(matches!(find_class("CARDIGAN"), Err(ClassError::Several { count: 2, .. })));
        assert_eq!(find_class("  GOLDEN retriever"), Ok(207));
        assert_eq!(find_class("goldfis"), Ok(1));
        assert!(matches!(find_class("unicorn"), Err(ClassError::Unknown(_))));
        assert!(matches!(find_class(""), Err(ClassError::Unknown(_))));
        let text = find_class("terrier").unwrap_err().to_string();
        assert!(
            text.contains("19 classes, such as toy terrier, Staffordshire bullterrier"),
            "{text}"
        );
    }
}
