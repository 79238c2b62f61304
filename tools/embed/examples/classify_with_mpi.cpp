// Classifies the images of a folder on all ranks, with the C++ API: usage: mpirun -n 4 classify-with-mpi RUN
// FOLDER Each rank takes every n-th image; rank 0 prints a line an image, as classify-folder does.
#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "tools/xferrun/classifier.h"
#include "tools/xferrun/loaded_model.h"

namespace {

std::vector<std::string> images_in(const std::filesystem::path& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".png" || entry.path().extension() == ".bmp")
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string classify_share(const char* run, const std::vector<std::string>& paths, int rank, int ranks) {
  xf::tool::Session session({.device = "cpu", .threads = 1});
  const xf::tool::LoadedModel model = load_run(session, xf::tool::open_run(run));
  xf::tool::Classifier classifier(session, model);
  std::string lines;
  for (size_t i = static_cast<size_t>(rank); i < paths.size(); i += static_cast<size_t>(ranks)) {
    const std::vector<float> p = classifier.classify(xf::tool::read_picture(paths[i], {})).probabilities;
    const auto best = static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    lines += fmt::format("{}\t{}\t{:.9g}\n", paths[i], model.classes[best], p[best]);
  }
  return lines;
}

/// The texts of all ranks on rank 0.
std::string gathered(const std::string& text, int rank, int ranks) {
  const int length = static_cast<int>(text.size());
  std::vector<int> lengths(static_cast<size_t>(ranks)), starts(static_cast<size_t>(ranks));
  MPI_Gather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, MPI_COMM_WORLD);
  int total = 0;
  for (size_t i = 0; i < lengths.size(); total += lengths[i++]) starts[i] = total;
  std::string all(rank == 0 ? static_cast<size_t>(total) : 0, ' ');
  MPI_Gatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), starts.data(), MPI_CHAR, 0,
              MPI_COMM_WORLD);
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (argc != 3) {
    if (rank == 0) std::cerr << "usage: mpirun -n RANKS classify-with-mpi RUN FOLDER\n";
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  try {
    xf::log::set_sink([](xf::log::Level, std::string_view) {});
    const std::string all = gathered(classify_share(argv[1], images_in(argv[2]), rank, ranks), rank, ranks);
    if (rank == 0) std::cout << all;
  } catch (const xf::Error& e) {
    std::cerr << "classify-with-mpi: " << e.what() << "\nclassify-with-mpi: " << e.remedy() << "\n";
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
}
