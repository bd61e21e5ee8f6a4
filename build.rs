//! Build-time shader reflection; see `build/shaders.rs`.

#[cfg(feature = "gpu")]
#[path = "build/shaders.rs"]
mod shaders;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "gpu")]
    shaders::generate()?;
    Ok(())
}
