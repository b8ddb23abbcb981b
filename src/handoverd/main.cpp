// SPDX-License-Identifier: MIT
#include "handoverd/run_command.h"

int main(int argc, char** argv) {
    return handoverd::run_command(argc, argv, HANDOVER_VERSION);
}
