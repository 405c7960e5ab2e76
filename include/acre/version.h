// SPDX-License-Identifier: MIT
//
// The version of these headers, for #if. Programs link with libraries of the
// same one; see SECURITY.md, "Versions".

#ifndef ACRE_VERSION_H_
#define ACRE_VERSION_H_

#define ACRE_VERSION_MAJOR 0
#define ACRE_VERSION_MINOR 1
#define ACRE_VERSION_PATCH 0

/// One number to compare: 10203 is 1.2.3.
#define ACRE_VERSION \
  (ACRE_VERSION_MAJOR * 10000 + ACRE_VERSION_MINOR * 100 + ACRE_VERSION_PATCH)

#endif  // ACRE_VERSION_H_
