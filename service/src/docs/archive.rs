//! The files of Swagger UI, taken out of its release archive by the compiler.
//!
//! A member of a zip archive is a deflate stream with its checksum beside it, and so is a gzip file.
//! What is compressed there is therefore served as it is, with `content-encoding: gzip`: nothing is
//! unpacked or compressed, at run time or before, and the program holds none of the other members.

const ARCHIVE: &[u8] = utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
const GZIP_TRAILER: usize = 8;

/// One file of the archive, as the archive's directory describes it.
pub(super) struct Member {
    start: usize,
    compressed: usize,
    crc: u32,
    size: u32,
}

impl Member {
    /// Finds a file by the end of its path. To be called in constants: what goes wrong is then an
    /// error of the compiler.
    ///
    /// # Panics
    ///
    /// If the archive has no such file, or has it in another form than deflate.
    pub(super) const fn find(path: &str) -> Self {
        // The directory is at the end, behind it a record that tells where it begins.
        let mut end = ARCHIVE.len() - 22;
        while u32_at(end) != 0x0605_4b50 {
            end -= 1;
        }
        let mut entry = u32_at(end + 16) as usize;
        while entry < end {
            assert!(u32_at(entry) == 0x0201_4b50, "the directory of the archive is broken");
            let name_length = u16_at(entry + 28);
            if ends_with(entry + 46 + name_length, path.as_bytes()) {
                assert!(u16_at(entry + 10) == 8, "the file is not compressed by deflate");
                let local = u32_at(entry + 42) as usize;
                return Self {
                    start: local + 30 + u16_at(local + 26) + u16_at(local + 28),
                    compressed: u32_at(entry + 20) as usize,
                    crc: u32_at(entry + 16),
                    size: u32_at(entry + 24),
                };
            }
            entry += 46 + name_length + u16_at(entry + 30) + u16_at(entry + 32);
        }
        panic!("the archive has no such file")
    }

    pub(super) const fn crc(&self) -> u32 {
        self.crc
    }

    /// The length of the file as gzip.
    pub(super) const fn gzip_length(&self) -> usize {
        GZIP_HEADER.len() + self.compressed + GZIP_TRAILER
    }

    /// The file as gzip; `N` is [its length](Self::gzip_length).
    pub(super) const fn gzip<const N: usize>(&self) -> [u8; N] {
        let mut gzip = [0; N];
        let (header, rest) = gzip.split_at_mut(GZIP_HEADER.len());
        header.copy_from_slice(&GZIP_HEADER);
        let (content, trailer) = rest.split_at_mut(self.compressed);
        content.copy_from_slice(ARCHIVE.split_at(self.start).1.split_at(self.compressed).0);
        let (crc, size) = trailer.split_at_mut(4);
        crc.copy_from_slice(&self.crc.to_le_bytes());
        size.copy_from_slice(&self.size.to_le_bytes());
        gzip
    }
}

const fn u16_at(at: usize) -> usize {
    ARCHIVE[at] as usize | (ARCHIVE[at + 1] as usize) << 8
}

const fn u32_at(at: usize) -> u32 {
    u32::from_le_bytes([ARCHIVE[at], ARCHIVE[at + 1], ARCHIVE[at + 2], ARCHIVE[at + 3]])
}

/// Whether the archive has this text right before `end`.
const fn ends_with(end: usize, text: &[u8]) -> bool {
    let mut index = 0;
    while index < text.len() {
        if ARCHIVE[end - text.len() + index] != text[index] {
            return false;
        }
        index += 1;
    }
    true
}
