//! Copies from the adapter to memory.

use std::sync::mpsc;
use std::time::Duration;

use super::{GpuContext, GpuError};

/// Between looks at the adapter's progress; short beside any copy.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

/// A submitted copy of a buffer into mappable memory. [`Readback::wait`] blocks, so it belongs on
/// a worker, in the command line or in tests, never on the window's thread.
pub(super) struct Readback {
    staging: wgpu::Buffer,
    mapped: mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Readback {
    /// Submits `encoder` followed by a copy of the first `bytes` of `buffer`.
    pub(super) fn submit(
        context: &GpuContext,
        mut encoder: wgpu::CommandEncoder,
        buffer: &wgpu::Buffer,
        bytes: u64,
    ) -> Self {
        let staging = context.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, bytes);
        let (send, mapped) = mpsc::sync_channel(1);
        context.queue().submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone when the caller gave up; nobody wants the answer then.
            let _ = send.send(result);
        });
        Self { staging, mapped }
    }

    /// Waits for the copy and passes its bytes to `read`.
    pub(super) fn wait<T>(
        self,
        context: &GpuContext,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, GpuError> {
        if let Err(err) = answer(context, &self.mapped)? {
            context.report_loss(err.to_string());
            return Err(GpuError::Lost(err.to_string()));
        }
        let view = self
            .staging
            .get_mapped_range(..)
            .map_err(|err| GpuError::Validation(err.to_string()))?;
        let answer = read(&view);
        drop(view);
        self.staging.unmap();
        Ok(answer)
    }
}

/// Polls until a callback of the device has sent its word.
fn answer<T>(context: &GpuContext, word: &mpsc::Receiver<T>) -> Result<T, GpuError> {
    loop {
        context.poll()?;
        match word.recv_timeout(POLL_INTERVAL) {
            Ok(word) => return Ok(word),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(err) => return Err(GpuError::Lost(err.to_string())),
        }
    }
}

/// Waits until the adapter has done everything submitted so far: for measuring.
pub fn finish(context: &GpuContext) -> Result<(), GpuError> {
    let (send, done) = mpsc::sync_channel(1);
    context.queue().on_submitted_work_done(move || {
        // The receiver is gone when the caller gave up; nobody wants the answer then.
        let _ = send.send(());
    });
    answer(context, &done)
}

/// The first `bytes` of `buffer`. Blocks.
pub fn read_buffer(
    context: &GpuContext,
    buffer: &wgpu::Buffer,
    bytes: u64,
) -> Result<Vec<u8>, GpuError> {
    let encoder =
        context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    Readback::submit(context, encoder, buffer, bytes).wait(context, <[u8]>::to_vec)
}
