#include "engine/dist/comm_single.h"

namespace xf {

Comm& single_comm() {
  static SingleComm only;
  return only;
}

}  // namespace xf
