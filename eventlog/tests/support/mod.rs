//! Writes event log files: binary XML without templates, with right checksums. No sample of a real log is shipped.

/// Bytes of a file's head.
pub const HEAD: usize = 4096;
/// Bytes of a chunk.
pub const CHUNK: usize = 65_536;
/// Binary XML, as [MS-EVEN6] 2.2.12 has it, at its place in a chunk: names stand where they are first used.
struct Xml {
    bytes: Vec<u8>,
    at: usize,
}

impl Xml {
    fn name(&mut self, name: &str) {
        let here = (self.at + self.bytes.len() + 4) as u32;
        self.bytes.extend(here.to_le_bytes());
        self.bytes.extend([0; 6]);
        self.utf16(name);
        self.bytes.extend([0; 2]);
    }

    fn utf16(&mut self, text: &str) {
        self.bytes.extend((text.encode_utf16().count() as u16).to_le_bytes());
        self.bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend([0x05, 0x01]);
        self.utf16(text);
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.bytes.push(if attributes.is_empty() { 0x01 } else { 0x41 });
        self.bytes.extend([0; 4]);
        self.name(name);
        if !attributes.is_empty() {
            self.bytes.extend([0; 4]);
        }
        for (at, (name, value)) in attributes.iter().enumerate() {
            self.bytes.push(if at + 1 == attributes.len() { 0x06 } else { 0x46 });
            self.name(name);
            self.text(value);
        }
        self.bytes.push(0x02);
    }

    fn close(&mut self) {
        self.bytes.push(0x04);
    }

    fn element(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        self.text(text);
        self.close();
    }
}

/// A failed login from `192.0.2.N`.
pub fn login(at: usize, number: u64) -> Vec<u8> {
    let mut xml = Xml { bytes: vec![0x0f, 1, 1, 0], at };
    xml.open("Event", &[("xmlns", "http://schemas.microsoft.com/win/2004/08/events/event")]);
    xml.open("System", &[]);
    xml.element("Provider", &[("Name", "Microsoft-Windows-Security-Auditing")], "");
    xml.element("EventID", &[], "4625");
    xml.element("Keywords", &[], "0x8010000000000000");
    let time = format!("2026-05-04T07:12:{:02}.004217Z", number % 60);
    xml.element("TimeCreated", &[("SystemTime", &time)], "");
    xml.element("EventRecordID", &[], &number.to_string());
    xml.element("Channel", &[], "Security");
    xml.element("Computer", &[], "srv1.corp.example");
    xml.close();
    xml.open("EventData", &[]);
    let address = format!("192.0.2.{}", number % 200);
    for (name, value) in [
        ("TargetUserName", "j<doe>"),
        ("TargetDomainName", "CORP"),
        ("Status", "0xc000006d"),
        ("SubStatus", "0xc000006a"),
        ("LogonType", "3"),
        ("IpAddress", &address),
        ("IpPort", "50111"),
    ] {
        xml.element("Data", &[("Name", name)], value);
    }
    xml.close();
    xml.close();
    xml.bytes.push(0x00);
    xml.bytes
}

fn set(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// A chunk with these records.
pub fn chunk(numbers: std::ops::Range<u64>) -> Vec<u8> {
    let mut chunk = vec![0; 512];
    let mut last = 512;
    for number in numbers.clone() {
        last = chunk.len();
        let xml = login(last + 24, number);
        let length = (xml.len() + 28) as u32;
        chunk.extend(b"**\0\0");
        chunk.extend(length.to_le_bytes());
        chunk.extend(number.to_le_bytes());
        chunk.extend(134_000_000_000_000_000u64.to_le_bytes());
        chunk.extend(xml);
        chunk.extend(length.to_le_bytes());
    }
    let free = chunk.len();
    assert!(free <= CHUNK, "too many records");
    chunk.resize(CHUNK, 0);
    set(&mut chunk, 0, b"ElfChnk\0");
    for (at, number) in [(8, numbers.start), (16, numbers.end - 1), (24, numbers.start), (32, numbers.end - 1)] {
        set(&mut chunk, at, &number.to_le_bytes());
    }
    for (at, number) in [(40, 128), (44, last as u32), (48, free as u32)] {
        set(&mut chunk, at, &number.to_le_bytes());
    }
    let sum = crc32(&chunk[512..free]);
    set(&mut chunk, 52, &sum.to_le_bytes());
    let sum = crc32(&[&chunk[..120], &chunk[128..512]].concat());
    set(&mut chunk, 124, &sum.to_le_bytes());
    chunk
}

pub fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut head = vec![0; HEAD];
    set(&mut head, 0, b"ElfFile\0");
    set(&mut head, 16, &(chunks.len() as u64 - 1).to_le_bytes());
    for (at, number) in [(36, 1u16), (38, 3), (40, HEAD as u16), (42, chunks.len() as u16)] {
        set(&mut head, at, &number.to_le_bytes());
    }
    set(&mut head, 32, &128u32.to_le_bytes());
    let sum = crc32(&head[..120]);
    set(&mut head, 124, &sum.to_le_bytes());
    [head, chunks.concat()].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}
