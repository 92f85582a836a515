//! What a hook tool and the model say to each other over the agent's socket.
//!
//! The tool sends its argv and folder, the model answers with output and exit code. If the tool's
//! arguments say that it reads standard input, the model first asks for it. Integers are
//! little-endian u32, texts are a length and that many bytes.

use std::io::{self, Read, Write};

/// Both ends come from the same source tree; a program left over from an older build gets an error.
const VERSION: u8 = 1;
const DONE: u8 = 0;
const SEND_STDIN: u8 = 1;
/// More than any argv that Linux lets through.
const LIMIT: usize = 1 << 26;

/// A call of a hook tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// The tool's `JUJU_CONTEXT_ID`.
    pub(crate) context: String,
    /// The tool's working directory, which relative file names refer to.
    pub(crate) directory: String,
    pub(crate) tool: String,
    pub(crate) arguments: Vec<String>,
}

/// What the tool prints, and how it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u8,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

fn put(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    buffer.extend_from_slice(bytes);
}

fn take_number(reader: &mut impl Read) -> io::Result<usize> {
    let mut number = [0; 4];
    reader.read_exact(&mut number)?;
    usize::try_from(u32::from_le_bytes(number))
        .ok()
        .filter(|number| *number <= LIMIT)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "message too long"))
}

fn take(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; take_number(reader)?];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn take_text(reader: &mut impl Read) -> io::Result<String> {
    take(reader).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn take_byte(reader: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    reader.read_exact(&mut byte)?;
    Ok(byte[0])
}

impl Request {
    pub(crate) fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        let mut buffer = vec![VERSION];
        for text in [&self.context, &self.directory, &self.tool] {
            put(&mut buffer, text.as_bytes());
        }
        let count = u32::try_from(self.arguments.len()).unwrap_or(u32::MAX);
        buffer.extend_from_slice(&count.to_le_bytes());
        for argument in &self.arguments {
            put(&mut buffer, argument.as_bytes());
        }
        writer.write_all(&buffer)
    }

    pub(crate) fn read(reader: &mut impl Read) -> io::Result<Self> {
        if take_byte(reader)? != VERSION {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the hook tool is of another version of juju-sim: rebuild it",
            ));
        }
        let (context, directory, tool) =
            (take_text(reader)?, take_text(reader)?, take_text(reader)?);
        let count = take_number(reader)?;
        let arguments = (0..count)
            .map(|_| take_text(reader))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            context,
            directory,
            tool,
            arguments,
        })
    }
}

impl Reply {
    pub(crate) fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        let mut buffer = vec![DONE, self.code];
        put(&mut buffer, &self.stdout);
        put(&mut buffer, &self.stderr);
        writer.write_all(&buffer)
    }
}

/// The model's side of asking for standard input.
pub(crate) fn ask_for_stdin(stream: &mut (impl Read + Write)) -> io::Result<Vec<u8>> {
    stream.write_all(&[SEND_STDIN])?;
    take(stream)
}

/// The tool's side: sends the request, answers with standard input when asked, returns the reply.
pub(crate) fn call(
    stream: &mut (impl Read + Write),
    request: &Request,
    stdin: &mut impl Read,
) -> io::Result<Reply> {
    request.write(stream)?;
    loop {
        if take_byte(stream)? == SEND_STDIN {
            let mut content = Vec::new();
            stdin.read_to_end(&mut content)?;
            let mut buffer = Vec::with_capacity(content.len() + 4);
            put(&mut buffer, &content);
            stream.write_all(&buffer)?;
            continue;
        }
        let code = take_byte(stream)?;
        return Ok(Reply {
            code,
            stdout: take(stream)?,
            stderr: take(stream)?,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    fn request() -> Request {
        Request {
            context: "rec/0-install-1".into(),
            directory: "/tmp".into(),
            tool: "relation-set".into(),
            arguments: vec![
                "-r".into(),
                "7".into(),
                "--file".into(),
                "-".into(),
                String::new(),
            ],
        }
    }

    #[test]
    fn a_call_with_standard_input_goes_there_and_back() {
        let (mut tool, mut model) = UnixStream::pair().unwrap();
        let reply = Reply {
            code: 2,
            stdout: b"out\n".to_vec(),
            stderr: b"ERROR x\n".to_vec(),
        };
        let answer = reply.clone();
        let server = std::thread::spawn(move || {
            let request = Request::read(&mut model).unwrap();
            let stdin = ask_for_stdin(&mut model).unwrap();
            answer.write(&mut model).unwrap();
            (request, stdin)
        });
        assert_eq!(
            call(&mut tool, &request(), &mut &b"k: v\n"[..]).unwrap(),
            reply
        );
        assert_eq!(server.join().unwrap(), (request(), b"k: v\n".to_vec()));
    }

    #[test]
    fn another_version_is_refused() {
        let mut bytes = Vec::new();
        request().write(&mut bytes).unwrap();
        bytes[0] = VERSION + 1;
        assert!(
            Request::read(&mut bytes.as_slice())
                .unwrap_err()
                .to_string()
                .contains("rebuild")
        );
    }
}
