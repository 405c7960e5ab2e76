// SPDX-License-Identifier: MIT
//
// What the variable ACRE_AUDIT says over the policies of a program.

#ifndef ACRE_AUDIT_AUTOMATIC_ENVIRONMENT_H_
#define ACRE_AUDIT_AUTOMATIC_ENVIRONMENT_H_

#include "acre/audit_policy.h"
#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// The policy as it is in force. Tells a value that is none, once.
AuditPolicy InForce(AuditPolicy policy);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUTOMATIC_ENVIRONMENT_H_
