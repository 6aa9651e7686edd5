//! Packs the files of the page as they are sent: the modules as one script, without comments, compressed with Brotli and with gzip.
//! The program contains the results, and neither a Brotli compressor nor the time that it takes.

use std::collections::BTreeSet;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

#[path = "src/dashboard"]
mod dashboard {
    pub mod bundle;
    pub mod files;
    pub mod slim;
}

/// The best that there is: this happens once a build.
const QUALITY: u32 = 11;
/// The largest window that every browser knows. No file is larger.
const WINDOW: u32 = 22;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=dashboard");
    println!("cargo::rerun-if-changed=src/dashboard");
    let folder = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names a folder")?);
    let files = dashboard::files::FILES.iter().map(|(name, _)| (*name).to_owned());
    let names: BTreeSet<String> = files.chain(dashboard::bundle::sheets()).collect();
    let mut table = String::from("&[\n");
    for name in names {
        let plain = dashboard::bundle::sent(&name).ok_or_else(|| format!("{name} is no file of the page"))?;
        let (gzip, brotli) = (gzip(plain.as_bytes())?, brotli(plain.as_bytes())?);
        // What is no smaller than the file is not sent. What gzip makes smaller is kept in that form, from which it can be had.
        let smaller = |bytes: &[u8]| bytes.len() < plain.len();
        let forms = [
            ("plain", plain.as_bytes(), !smaller(&gzip)),
            ("gzip", &gzip[..], smaller(&gzip)),
            ("brotli", &brotli[..], smaller(&brotli)),
        ];
        let _ = write!(table, "({name:?}, Packed {{ ");
        for (form, bytes, kept) in forms {
            let file = kept.then(|| write_file(&folder, &name, form, bytes)).transpose()?;
            let member = file.map_or_else(|| "None".to_owned(), |file| format!("Some({file})"));
            let _ = write!(table, "{form}: {member}, ");
        }
        table += "}),\n";
    }
    fs::write(folder.join("packed.rs"), table + "]\n")?;
    Ok(())
}

/// Writes one form of a file, and says how the program includes it.
fn write_file(folder: &Path, name: &str, form: &str, bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let path = format!("{}.{form}", name.replace('/', "-"));
    fs::write(folder.join(&path), bytes)?;
    Ok(format!("include_bytes!({path:?})"))
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn brotli(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, QUALITY, WINDOW);
    encoder.write_all(plain)?;
    Ok(encoder.into_inner())
}
