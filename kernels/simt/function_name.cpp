// Kernels are local functions: the dynamic loader does not know their names, the file's symbol table does.

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/simt/counter.h"

namespace xf::simt {
namespace {

// The file that an address was loaded from, and where it lies in it.
struct Module {
  uintptr_t address = 0;  // asked for
  std::string file;       // found
  uintptr_t base = 0;
};

int find_module(dl_phdr_info* info, size_t /*size*/, void* into) {
  Module& module = *static_cast<Module*>(into);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    const uintptr_t first = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || module.address < first || module.address >= first + segment.p_memsz)
      continue;
    module.file = info->dlpi_name[0] == '\0' ? "/proc/self/exe" : info->dlpi_name;
    module.base = info->dlpi_addr;
    return 1;
  }
  return 0;
}

// A table of the file whose bytes are `image`.
template <class Entry>
std::vector<Entry> table(const std::string& image, uint64_t offset, uint64_t bytes) {
  std::vector<Entry> entries;
  if (offset > image.size() || bytes > image.size() - offset) return entries;
  entries.resize(bytes / sizeof(Entry));
  image.copy(reinterpret_cast<char*>(entries.data()), entries.size() * sizeof(Entry), offset);
  return entries;
}

std::string symbol_at(const std::string& image, uintptr_t address) {
  const auto header = table<ElfW(Ehdr)>(image, 0, sizeof(ElfW(Ehdr)));
  if (header.empty()) return {};
  const auto sections = table<ElfW(Shdr)>(image, header[0].e_shoff, header[0].e_shnum * sizeof(ElfW(Shdr)));
  for (const auto& section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    for (const auto& symbol : table<ElfW(Sym)>(image, section.sh_offset, section.sh_size)) {
      if ((symbol.st_info & 0xFU) != STT_FUNC || symbol.st_value != address) continue;
      const uint64_t name = sections[section.sh_link].sh_offset + symbol.st_name;
      return name < image.size() ? std::string(image.c_str() + name) : std::string();
    }
  }
  return {};
}

void erase_all(std::string& text, std::string_view part) {
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at))
    text.erase(at, part.size());
}

// "void xf::cuda::(anonymous namespace)::normalise<float>(Tensors)" to "normalise<float>".
std::string short_name(std::string name) {
  for (const char* part : {"(anonymous namespace)::", "xf::cuda::", "xf::simt::", "xf::test::", "xf::"}) {
    erase_all(name, part);
  }
  int depth = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    depth += static_cast<int>(name[i] == '<') - static_cast<int>(name[i] == '>');
    if (name[i] == '(' && depth == 0) {
      name.erase(i);
      break;
    }
  }
  if (name.starts_with("void ")) name.erase(0, 5);
  return name;
}

}  // namespace

std::string function_name(const void* function) {
  static std::map<const void*, std::string> known;  // the table is long
  const auto [entry, is_new] = known.try_emplace(function);
  if (!is_new) return entry->second;
  Module module;
  module.address = reinterpret_cast<uintptr_t>(function);
  if (dl_iterate_phdr(find_module, &module) == 0) return {};
  std::ifstream file(module.file, std::ios::binary);
  const std::string image{std::istreambuf_iterator<char>(file), {}};
  const std::string symbol = symbol_at(image, module.address - module.base);
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &std::free);
  entry->second = short_name(status == 0 ? demangled.get() : symbol);
  return entry->second;
}

}  // namespace xf::simt
