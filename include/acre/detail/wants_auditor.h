// SPDX-License-Identifier: MIT
//
// Linking libacre-audit is enough, in a program too that calls nothing of it:
// in checked builds each object that uses an arena carries a common symbol that
// the auditor defines. A common symbol makes a linker take the member of an
// archive that defines it (GNU ld, lld), and makes GNU ld keep a shared library
// under --as-needed; where no auditor is linked it is four bytes of zeros. No
// weak reference does that, and a strong one would not link without auditor.
//
// Where neither is done (gold; lld with --as-needed; g++ -flto), the first
// arena says that no auditor is there. Internal to acre.

#ifndef ACRE_DETAIL_WANTS_AUDITOR_H_
#define ACRE_DETAIL_WANTS_AUDITOR_H_

#include "acre/config.h"

// The libraries themselves carry none: a shared core would define it for all.
#if ACRE_CHECKED && !defined(ACRE_BUILDING) && defined(__ELF__)
__asm__(".comm acre_audit_automatic,4,4");
#endif

#endif  // ACRE_DETAIL_WANTS_AUDITOR_H_
