// SPDX-License-Identifier: MIT
//
// The loops of the allocation benchmarks over bumpalo, in Rust so that its
// allocation is inlined as it is in a Rust program. Declared in bumpalo.h.

use bumpalo::Bump;
use std::alloc::Layout;
use std::arch::asm;

// The sink of perf.h: the pointer in a register, memory clobbered.
#[inline(always)]
fn sink(pointer: *const u64) {
    unsafe { asm!("/* {0} */", in(reg) pointer, options(nostack, preserves_flags)) }
}

#[inline(always)]
fn allocate(bump: &Bump, layout: Layout, word: u64) {
    let object = bump.alloc_layout(layout).cast::<u64>().as_ptr();
    unsafe { object.write(word) };
    sink(object);
}

#[inline(always)]
fn fixed<const BYTES: usize>(bump: &mut Bump, count: usize) {
    for i in 0..count {
        let layout = unsafe { Layout::from_size_align_unchecked(BYTES, 16) };
        allocate(bump, layout, i as u64);
    }
    bump.reset();
}

#[no_mangle]
pub extern "C" fn acre_perf_bumpalo_new() -> *mut Bump {
    Box::into_raw(Box::new(Bump::new()))
}

#[no_mangle]
pub unsafe extern "C" fn acre_perf_bumpalo_delete(bump: *mut Bump) {
    drop(Box::from_raw(bump));
}

#[no_mangle]
pub unsafe extern "C" fn acre_perf_bumpalo_16(bump: *mut Bump, count: usize) {
    fixed::<16>(&mut *bump, count);
}

#[no_mangle]
pub unsafe extern "C" fn acre_perf_bumpalo_64(bump: *mut Bump, count: usize) {
    fixed::<64>(&mut *bump, count);
}

// `sizes` holds `mask` + 1 sizes.
#[no_mangle]
pub unsafe extern "C" fn acre_perf_bumpalo_mixed(
    bump: *mut Bump,
    count: usize,
    sizes: *const u16,
    mask: usize,
) {
    let bump = &mut *bump;
    for i in 0..count {
        let bytes = *sizes.add(i & mask) as usize;
        let layout = Layout::from_size_align_unchecked(bytes, 16);
        allocate(bump, layout, i as u64);
    }
    bump.reset();
}
