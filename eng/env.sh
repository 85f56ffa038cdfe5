# Read by build.sh and .ci/run: how dotnet is called here.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# No compiler or build process outlives a command.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_CLI_USE_MSBUILD_SERVER=0
# paket.dependencies reads the packages here, so this is where they must be put.
export NUGET_PACKAGES="$HOME/.nuget/packages"
