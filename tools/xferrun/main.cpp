#include "tools/xferrun/command.h"

int main(int argc, char** argv) { return xf::tool::run_program(argc, argv); }
